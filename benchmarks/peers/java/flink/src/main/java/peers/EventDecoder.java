package peers;

import org.apache.flink.api.common.typeinfo.TypeInformation;
import org.apache.flink.connector.kafka.source.reader.deserializer.KafkaRecordDeserializationSchema;
import org.apache.flink.util.Collector;
import org.apache.kafka.clients.consumer.ConsumerRecord;

/** Records to events; what is none is left out. */
final class EventDecoder implements KafkaRecordDeserializationSchema<Event> {
  @Override
  public void deserialize(ConsumerRecord<byte[], byte[]> record, Collector<Event> events) {
    Event.decode(record.topic(), record.timestamp(), record.value()).ifPresent(events::collect);
  }

  @Override
  public TypeInformation<Event> getProducedType() {
    return TypeInformation.of(Event.class);
  }
}
