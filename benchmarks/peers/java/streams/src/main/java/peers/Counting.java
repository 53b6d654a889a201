package peers;

import java.util.Arrays;
import org.apache.kafka.streams.KeyValue;
import org.apache.kafka.streams.processor.api.Processor;
import org.apache.kafka.streams.processor.api.ProcessorContext;
import org.apache.kafka.streams.processor.api.Record;
import org.apache.kafka.streams.state.KeyValueStore;
import org.apache.kafka.streams.state.WindowStore;
import org.apache.kafka.streams.state.WindowStoreIterator;

/** Counts each event once for its creator and its video, and forwards the bonuses that it brings about. */
final class Counting implements Processor<String, byte[], String, byte[]> {
  private static final int WINDOW = Subject.WINDOW_PANES;

  private ProcessorContext<String, byte[]> context;
  private WindowStore<String, Long> ids;
  private WindowStore<String, int[]> panes;
  private KeyValueStore<String, Head> heads;

  @Override
  public void init(ProcessorContext<String, byte[]> context) {
    this.context = context;
    ids = context.getStateStore(Panes.IDS);
    panes = context.getStateStore(Panes.PANES);
    heads = context.getStateStore(Panes.HEADS);
  }

  @Override
  public void process(Record<String, byte[]> record) {
    String topic = context.recordMetadata().orElseThrow().topic();
    Event.decode(topic, record.timestamp(), record.value())
        .filter(this::isNew)
        .ifPresent(
            event -> {
              for (Kind kind : Kind.values()) {
                if (kind.counts(event)) {
                  new Step(kind, event, record).count();
                }
              }
            });
  }

  private boolean isNew(Event event) {
    long size = Panes.ID_WINDOW.toMillis();
    long window = event.appendedAt / size * size;
    String id = event.metric.ordinal() + event.eventId;
    Long before = ids.fetch(id, window);
    if (before == null) {
      before = ids.fetch(id, window - size);
    }
    if (before != null && event.appendedAt - before <= size) {
      return false;
    }
    ids.put(id, event.appendedAt, window);
    return true;
  }

  /** One event and one of its subjects. */
  private final class Step {
    private final Kind kind;
    private final Event event;
    private final Record<String, byte[]> record;
    private final String subject;
    private final int metric;
    private Head head;

    Step(Kind kind, Event event, Record<String, byte[]> record) {
      this.kind = kind;
      this.event = event;
      this.record = record;
      this.subject = kind == Kind.CREATOR ? event.creatorId : event.creatorId + '\u001f' + event.videoId;
      this.metric = event.metric.ordinal();
      this.head = heads.get(subject);
    }

    void count() {
      long pane = event.pane();
      int[] counts = at(pane);
      counts[metric]++;
      panes.put(subject, counts, pane * Subject.PANE_MS);
      if (head == null) {
        head = Head.NONE;
      }
      if (pane > head.pane()) {
        roll(pane);
      }
      if (pane > head.pane() - WINDOW) {
        head.sums()[metric]++;
      }
      if (pane == head.pane()) {
        judge(pane, counts, head.sums());
      } else {
        judgeLaterPanes(pane);
      }
      heads.put(subject, head);
    }

    private int[] at(long pane) {
      int[] counts = panes.fetch(subject, pane * Subject.PANE_MS);
      return counts == null ? new int[Metric.COUNT] : counts;
    }

    /** Makes the pane the newest one: what its window no longer holds leaves the sums. */
    private void roll(long pane) {
      int[] sums = head.sums().clone();
      if (!head.isNone()) {
        long from = (head.pane() - WINDOW + 1) * Subject.PANE_MS;
        long to = (Math.min(pane - WINDOW, head.pane())) * Subject.PANE_MS;
        try (WindowStoreIterator<int[]> leaving = panes.fetch(subject, from, to)) {
          while (leaving.hasNext()) {
            KeyValue<Long, int[]> left = leaving.next();
            add(sums, left.value, -1);
          }
        }
      }
      head = new Head(pane, sums, head.latches());
    }

    /** A late event changes the windows of its own pane and of later ones: they are gone through backwards. */
    private void judgeLaterPanes(long from) {
      int[] window = head.sums().clone();
      for (long pane = head.pane(); pane >= from; pane--) {
        int[] counts = at(pane);
        if (pane - from < WINDOW) {
          judge(pane, counts, window);
        }
        add(window, counts, -1);
        add(window, at(pane - WINDOW), 1);
      }
    }

    private void judge(long pane, int[] counts, int[] window) {
      for (Tier tier : Tier.naming(kind, event.metric)) {
        if (tier.reachedBy(window) && tier.isJudgedAt(counts) && !head.holds(tier.latchAt(pane))) {
          award(Award.of(tier, pane, window));
        }
      }
    }

    private void award(Award award) {
      long[] latches = Arrays.copyOf(head.latches(), head.latches().length + 1);
      latches[latches.length - 1] = award.tier().latchAt(award.pane());
      head = new Head(head.pane(), head.sums(), latches);
      context.forward(record.withKey(event.creatorId).withValue(award.bonus(event.creatorId, event.videoId)));
    }
  }

  private static void add(int[] sums, int[] counts, int sign) {
    for (int metric = 0; metric < sums.length; metric++) {
      sums[metric] += sign * counts[metric];
    }
  }
}
