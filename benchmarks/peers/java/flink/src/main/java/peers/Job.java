package peers;

import java.time.Duration;
import org.apache.flink.api.common.eventtime.WatermarkStrategy;
import org.apache.flink.configuration.CheckpointingOptions;
import org.apache.flink.configuration.Configuration;
import org.apache.flink.configuration.ExternalizedCheckpointRetention;
import org.apache.flink.configuration.PipelineOptions;
import org.apache.flink.configuration.StateBackendOptions;
import org.apache.flink.connector.base.DeliveryGuarantee;
import org.apache.flink.connector.kafka.sink.KafkaSink;
import org.apache.flink.connector.kafka.source.KafkaSource;
import org.apache.flink.connector.kafka.source.enumerator.initializer.OffsetsInitializer;
import org.apache.flink.core.execution.CheckpointingMode;
import org.apache.flink.streaming.api.datastream.DataStream;
import org.apache.flink.streaming.api.environment.StreamExecutionEnvironment;

/** How both forms run: a local cluster, parallelism one, state on the heap, an exactly-once source and sink. */
final class Job {
  /** The events of this much time may come out of order. */
  static final Duration OUT_OF_ORDER = Duration.ofSeconds(30);

  /** No topic is read further ahead of the others than this: a late event needs panes that are forgotten some day. */
  private static final Duration APART = Duration.ofMinutes(10);

  private static final Duration ALIGNED_EVERY = Duration.ofMillis(200);
  private static final Duration IDLE = Duration.ofSeconds(1);
  private static final String TRANSACTION_MS = "600000";

  private final Run run;
  private final StreamExecutionEnvironment environment;

  Job(Run run, Duration checkpointInterval) {
    Configuration settings = new Configuration();
    settings.set(StateBackendOptions.STATE_BACKEND, "hashmap");
    settings.set(CheckpointingOptions.CHECKPOINTS_DIRECTORY, "file://" + run.folder());
    settings.set(CheckpointingOptions.CHECKPOINTING_INTERVAL, checkpointInterval);
    settings.set(CheckpointingOptions.CHECKPOINTING_CONSISTENCY_MODE, CheckpointingMode.EXACTLY_ONCE);
    settings.set(
        CheckpointingOptions.EXTERNALIZED_CHECKPOINT_RETENTION,
        ExternalizedCheckpointRetention.DELETE_ON_CANCELLATION);
    settings.set(PipelineOptions.OBJECT_REUSE, true);
    this.run = run;
    this.environment = StreamExecutionEnvironment.createLocalEnvironment(1, settings);
  }

  /** The events of all inputs, by the time at which they occurred. */
  DataStream<Event> events() {
    KafkaSource<Event> source =
        KafkaSource.<Event>builder()
            .setBootstrapServers(run.kafka())
            .setTopics(run.inputs())
            .setGroupId(run.group())
            .setStartingOffsets(OffsetsInitializer.earliest())
            .setDeserializer(new EventDecoder())
            .build();
    WatermarkStrategy<Event> time =
        WatermarkStrategy.<Event>forBoundedOutOfOrderness(OUT_OF_ORDER)
            .withTimestampAssigner((event, appended) -> event.occurredAt)
            .withWatermarkAlignment("events", APART, ALIGNED_EVERY)
            .withIdleness(IDLE);
    return environment.fromSource(source, time, "events");
  }

  /** Writes the bonuses in transactions, and runs until it is ended. */
  void run(DataStream<Bonus> bonuses) throws Exception {
    KafkaSink<Bonus> sink =
        KafkaSink.<Bonus>builder()
            .setBootstrapServers(run.kafka())
            .setRecordSerializer(new BonusEncoder(run.output()))
            .setDeliveryGuarantee(DeliveryGuarantee.EXACTLY_ONCE)
            .setTransactionalIdPrefix(run.group())
            .setProperty("transaction.timeout.ms", TRANSACTION_MS)
            .build();
    bonuses.sinkTo(sink);
    environment.execute();
  }
}
