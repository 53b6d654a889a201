package peers;

import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.HashMap;
import java.util.Map;
import org.apache.kafka.common.serialization.Deserializer;
import org.apache.kafka.common.serialization.Serde;
import org.apache.kafka.common.serialization.Serializer;

/** Counts by metric of several subjects as bytes: for each the length of its name, the name, the counts. */
final class SubjectsSerde implements Serde<Map<String, int[]>> {
  private static final int FIXED = Integer.BYTES + Metric.COUNT * Integer.BYTES;

  @Override
  public Serializer<Map<String, int[]>> serializer() {
    return (topic, subjects) -> {
      if (subjects == null) {
        return null;
      }
      int size = subjects.keySet().stream().mapToInt(name -> FIXED + utf8(name).length).sum();
      ByteBuffer bytes = ByteBuffer.allocate(size);
      subjects.forEach((name, counts) -> CountsSerde.put(bytes.putInt(utf8(name).length).put(utf8(name)), counts));
      return bytes.array();
    };
  }

  @Override
  public Deserializer<Map<String, int[]>> deserializer() {
    return (topic, data) -> {
      if (data == null) {
        return null;
      }
      Map<String, int[]> subjects = new HashMap<>();
      for (ByteBuffer bytes = ByteBuffer.wrap(data); bytes.hasRemaining(); ) {
        byte[] name = new byte[bytes.getInt()];
        bytes.get(name);
        subjects.put(new String(name, StandardCharsets.UTF_8), CountsSerde.get(bytes));
      }
      return subjects;
    };
  }

  private static byte[] utf8(String name) {
    return name.getBytes(StandardCharsets.UTF_8);
  }
}
