package peers;

import org.apache.kafka.streams.kstream.Windowed;
import org.apache.kafka.streams.processor.api.Processor;
import org.apache.kafka.streams.processor.api.ProcessorContext;
import org.apache.kafka.streams.processor.api.Record;
import org.apache.kafka.streams.state.KeyValueStore;

/** Looks at each window that changed, and forwards each award once. */
final class Judging implements Processor<Windowed<String>, int[], String, byte[]> {
  private ProcessorContext<String, byte[]> context;
  private KeyValueStore<String, Boolean> latches;

  @Override
  public void init(ProcessorContext<String, byte[]> context) {
    this.context = context;
    latches = context.getStateStore(Hopping.LATCHES);
  }

  @Override
  public void process(Record<Windowed<String>, int[]> record) {
    long end = record.key().window().end();
    if (record.timestamp() < end - Subject.PANE_MS) {
      return; // nothing of the window lies in its last minute
    }
    String subject = record.key().key();
    int at = subject.indexOf(Hopping.BETWEEN_IDS);
    String creatorId = at < 0 ? subject : subject.substring(0, at);
    String videoId = at < 0 ? null : subject.substring(at + 1);
    long pane = end / Subject.PANE_MS - 1;
    for (Tier tier : Tier.of(videoId == null ? Kind.CREATOR : Kind.VIDEO)) {
      if (tier.reachedBy(record.value()) && isFirst(subject + Hopping.BETWEEN_IDS + tier.latchAt(pane))) {
        byte[] bonus = Award.of(tier, pane, record.value()).bonus(creatorId, videoId);
        context.forward(new Record<>(creatorId, bonus, record.timestamp()));
      }
    }
  }

  private boolean isFirst(String latch) {
    return latches.putIfAbsent(latch, true) == null;
  }
}
