package peers;

import java.util.Map;
import org.apache.kafka.streams.kstream.Windowed;
import org.apache.kafka.streams.processor.api.Processor;
import org.apache.kafka.streams.processor.api.ProcessorContext;
import org.apache.kafka.streams.processor.api.Record;
import org.apache.kafka.streams.state.KeyValueStore;

/** Looks at each window that changed, and forwards each award once. */
final class Judging implements Processor<Windowed<String>, Map<String, int[]>, String, byte[]> {
  private ProcessorContext<String, byte[]> context;
  private KeyValueStore<String, Boolean> latches;

  @Override
  public void init(ProcessorContext<String, byte[]> context) {
    this.context = context;
    latches = context.getStateStore(Hopping.LATCHES);
  }

  @Override
  public void process(Record<Windowed<String>, Map<String, int[]>> record) {
    long end = record.key().window().end();
    if (record.timestamp() < end - Subject.PANE_MS) {
      return; // nothing of the window lies in its last minute
    }
    record.value().forEach((subject, counts) -> judge(record, subject, counts, end / Subject.PANE_MS - 1));
  }

  private void judge(Record<Windowed<String>, ?> record, String subject, int[] counts, long pane) {
    String creatorId = record.key().key();
    for (Tier tier : Tier.of(subject.equals(Hopping.CREATOR) ? Kind.CREATOR : Kind.VIDEO)) {
      if (tier.reachedBy(counts) && isFirst(creatorId + '\u001f' + subject + '\u001f' + tier.latchAt(pane))) {
        byte[] bonus = Award.of(tier, pane, counts).bonus(creatorId, subject);
        context.forward(new Record<>(creatorId, bonus, record.timestamp()));
      }
    }
  }

  private boolean isFirst(String latch) {
    return latches.putIfAbsent(latch, true) == null;
  }
}
