package peers;

import java.time.Duration;

/** Flink with panes by hand: a keyed process function that keeps a subject's minute panes and running sums. */
public final class Panes {
  private Panes() {}

  public static void main(String[] arguments) throws Exception {
    Duration checkpointInterval = Duration.ofMillis(Long.getLong("checkpoint.ms"));
    Job job = new Job(Run.of(arguments), checkpointInterval);
    job.run(job.events().keyBy(event -> event.creatorId).process(new Counting()));
  }
}
