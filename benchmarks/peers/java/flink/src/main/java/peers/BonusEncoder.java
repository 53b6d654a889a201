package peers;

import org.apache.flink.connector.kafka.sink.KafkaRecordSerializationSchema;
import org.apache.kafka.clients.producer.ProducerRecord;

/** Bonuses to records of the output topic, placed by their creator. */
record BonusEncoder(String topic) implements KafkaRecordSerializationSchema<Bonus> {
  @Override
  public ProducerRecord<byte[], byte[]> serialize(Bonus bonus, KafkaSinkContext context, Long timestamp) {
    return new ProducerRecord<>(topic, bonus.key, bonus.value);
  }
}
