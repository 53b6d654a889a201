package peers;

import java.time.Duration;
import java.util.HashMap;
import java.util.Map;
import org.apache.kafka.common.serialization.Deserializer;
import org.apache.kafka.common.serialization.Serde;
import org.apache.kafka.common.serialization.Serdes;
import org.apache.kafka.common.utils.Bytes;
import org.apache.kafka.streams.StreamsBuilder;
import org.apache.kafka.streams.kstream.Consumed;
import org.apache.kafka.streams.kstream.Materialized;
import org.apache.kafka.streams.kstream.TimeWindows;
import org.apache.kafka.streams.state.KeyValueStore;
import org.apache.kafka.streams.state.Stores;
import org.apache.kafka.streams.state.StoreBuilder;
import org.apache.kafka.streams.state.WindowStore;

/**
 * Kafka Streams with its own windows: the DSL's hopping windows of 24 hours that advance by a minute.
 *
 * <p>An event is in 1,440 windows, and each of them is read, written and forwarded. A window
 * holds the counts of a creator and of all the creator's videos, so that nothing is partitioned anew. Event ids are not
 * looked up.
 */
public final class Hopping {
  static final String LATCHES = "latches";

  /** In a creator's window: the creator, beside the ids of videos. */
  static final String CREATOR = "";

  private static final TimeWindows WINDOWS =
      TimeWindows.ofSizeAndGrace(Duration.ofHours(24), Duration.ofHours(1)).advanceBy(Duration.ofMinutes(1));

  private Hopping() {}

  public static void main(String[] arguments) {
    Run run = Run.of(arguments);
    StreamsBuilder builder = new StreamsBuilder();
    StoreBuilder<KeyValueStore<String, Boolean>> latches =
        Stores.keyValueStoreBuilder(Stores.inMemoryKeyValueStore(LATCHES), Serdes.String(), Serdes.Boolean());
    builder.addStateStore(latches);
    builder.stream(run.inputs(), events())
        .groupByKey()
        .windowedBy(WINDOWS)
        .aggregate(HashMap::new, (creator, event, subjects) -> add(subjects, event), stored())
        .toStream()
        .process(Judging::new, LATCHES)
        .to(run.output());
    Application.start(run, builder.build());
  }

  /** The inputs, by the time at which their events occurred. */
  private static Consumed<String, Event> events() {
    Deserializer<Event> decoder = (topic, value) -> Event.decode(topic, 0, value).orElse(null);
    Serde<Event> serde = Serdes.serdeFrom((topic, event) -> new byte[0], decoder);
    return Consumed.with(Serdes.String(), serde)
        .withTimestampExtractor(
            (record, partitionTime) -> record.value() instanceof Event event ? event.occurredAt : -1);
  }

  private static Map<String, int[]> add(Map<String, int[]> subjects, Event event) {
    for (Kind kind : Kind.values()) {
      if (kind.counts(event)) {
        String subject = kind == Kind.CREATOR ? CREATOR : event.videoId;
        subjects.computeIfAbsent(subject, name -> new int[Metric.COUNT])[event.metric.ordinal()]++;
      }
    }
    return subjects;
  }

  private static Materialized<String, Map<String, int[]>, WindowStore<Bytes, byte[]>> stored() {
    return Materialized.<String, Map<String, int[]>, WindowStore<Bytes, byte[]>>as("windows")
        .withKeySerde(Serdes.String())
        .withValueSerde(new SubjectsSerde());
  }
}
