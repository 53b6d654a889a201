package peers;

import java.nio.ByteBuffer;
import org.apache.kafka.common.serialization.Deserializer;
import org.apache.kafka.common.serialization.Serde;
import org.apache.kafka.common.serialization.Serializer;

/** A head as bytes: the pane, the sums, the latches to the end. */
final class HeadSerde implements Serde<Head> {
  private static final int FIXED = Long.BYTES + Metric.COUNT * Integer.BYTES;

  @Override
  public Serializer<Head> serializer() {
    return (topic, head) -> {
      ByteBuffer bytes = ByteBuffer.allocate(FIXED + head.latches().length * Long.BYTES).putLong(head.pane());
      CountsSerde.put(bytes, head.sums());
      for (long latch : head.latches()) {
        bytes.putLong(latch);
      }
      return bytes.array();
    };
  }

  @Override
  public Deserializer<Head> deserializer() {
    return (topic, data) -> {
      if (data == null) {
        return null;
      }
      ByteBuffer bytes = ByteBuffer.wrap(data);
      long pane = bytes.getLong();
      int[] sums = CountsSerde.get(bytes);
      long[] latches = new long[bytes.remaining() / Long.BYTES];
      bytes.asLongBuffer().get(latches);
      return new Head(pane, sums, latches);
    };
  }
}
