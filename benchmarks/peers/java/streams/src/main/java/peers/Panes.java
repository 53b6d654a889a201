package peers;

import java.time.Duration;
import org.apache.kafka.common.serialization.Serdes;
import org.apache.kafka.streams.Topology;
import org.apache.kafka.streams.state.Stores;

/**
 * Kafka Streams with panes by hand: the Processor API, a window store of minute panes, and a running sum a subject.
 *
 * <p>The stores are in memory, which is faster here than RocksDB, and all have changelogs.
 */
public final class Panes {
  static final String IDS = "ids";
  static final String PANES = "panes";
  static final String HEADS = "heads";

  /** The event id window, as a store's window: an id is looked up in its own and in the one before. */
  static final Duration ID_WINDOW = Duration.ofMinutes(65);

  private static final Duration PANE = Duration.ofMillis(Subject.PANE_MS);
  private static final Duration PANES_KEPT = PANE.multipliedBy(Subject.WINDOW_PANES + Subject.LATE_PANES);

  private Panes() {}

  public static void main(String[] arguments) {
    Run run = Run.of(arguments);
    Application.start(run, topology(run));
  }

  private static Topology topology(Run run) {
    var ids =
        Stores.windowStoreBuilder(
            Stores.inMemoryWindowStore(IDS, ID_WINDOW.multipliedBy(2), ID_WINDOW, false),
            Serdes.String(),
            Serdes.Long());
    var panes =
        Stores.windowStoreBuilder(
                Stores.inMemoryWindowStore(PANES, PANES_KEPT, PANE, false), Serdes.String(), new CountsSerde())
            .withCachingEnabled();
    var heads =
        Stores.keyValueStoreBuilder(Stores.inMemoryKeyValueStore(HEADS), Serdes.String(), new HeadSerde())
            .withCachingEnabled();
    return new Topology()
        .addSource("events", run.inputs().toArray(String[]::new))
        .addProcessor("count", Counting::new, "events")
        .addStateStore(ids, "count")
        .addStateStore(panes, "count")
        .addStateStore(heads, "count")
        .addSink("bonuses", run.output(), "count");
  }
}
