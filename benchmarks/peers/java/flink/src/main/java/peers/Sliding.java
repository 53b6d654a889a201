package peers;

import java.time.Duration;
import org.apache.flink.streaming.api.datastream.DataStream;
import org.apache.flink.streaming.api.windowing.assigners.SlidingEventTimeWindows;
import org.apache.flink.streaming.api.windowing.triggers.CountTrigger;
import org.apache.flink.util.Collector;

/**
 * Flink with its own windows: sliding windows of 24 hours by a minute, fired at each event for early emission.
 *
 * <p>An event is in 1,440 windows, and each of them is read, written and fired. Event ids are not looked up.
 */
public final class Sliding {
  static final char BETWEEN_IDS = '\u001f';

  private static final Duration CHECKPOINT_INTERVAL = Duration.ofSeconds(1);

  private Sliding() {}

  /** One count for one subject. */
  public static final class Counted {
    public String subject;
    public Metric metric;
    public long pane;
  }

  public static void main(String[] arguments) throws Exception {
    Job job = new Job(Run.of(arguments), CHECKPOINT_INTERVAL);
    DataStream<Bonus> bonuses =
        job.events()
            .flatMap(Sliding::subjects)
            .returns(Counted.class)
            .keyBy(counted -> counted.subject)
            .window(SlidingEventTimeWindows.of(Duration.ofHours(24), Duration.ofMinutes(1)))
            .trigger(CountTrigger.of(1))
            .aggregate(new Summing(), new Naming())
            .keyBy(window -> window.subject)
            .process(new Judging());
    job.run(bonuses);
  }

  private static void subjects(Event event, Collector<Counted> counts) {
    for (Kind kind : Kind.values()) {
      if (kind.counts(event)) {
        Counted counted = new Counted();
        counted.subject = kind == Kind.CREATOR ? event.creatorId : event.creatorId + BETWEEN_IDS + event.videoId;
        counted.metric = event.metric;
        counted.pane = event.pane();
        counts.collect(counted);
      }
    }
  }
}
