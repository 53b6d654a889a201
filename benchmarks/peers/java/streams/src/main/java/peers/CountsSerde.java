package peers;

import java.nio.ByteBuffer;
import org.apache.kafka.common.serialization.Deserializer;
import org.apache.kafka.common.serialization.Serde;
import org.apache.kafka.common.serialization.Serializer;

/** Counts by metric as bytes. */
final class CountsSerde implements Serde<int[]> {
  @Override
  public Serializer<int[]> serializer() {
    return (topic, counts) ->
        counts == null ? null : put(ByteBuffer.allocate(Metric.COUNT * Integer.BYTES), counts).array();
  }

  @Override
  public Deserializer<int[]> deserializer() {
    return (topic, data) -> data == null ? null : get(ByteBuffer.wrap(data));
  }

  static ByteBuffer put(ByteBuffer bytes, int[] counts) {
    for (int count : counts) {
      bytes.putInt(count);
    }
    return bytes;
  }

  static int[] get(ByteBuffer bytes) {
    int[] counts = new int[Metric.COUNT];
    for (int metric = 0; metric < counts.length; metric++) {
      counts[metric] = bytes.getInt();
    }
    return counts;
  }
}
