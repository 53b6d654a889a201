package peers;

import java.util.List;
import java.util.stream.Stream;

/** What a peer is told: where Kafka is, the inputs' prefix, its consumer group, its output topic, a folder of its own. */
public record Run(String kafka, String prefix, String group, String output, String folder) {
  /** Reads the command line. */
  public static Run of(String[] arguments) {
    if (arguments.length != 5) {
      throw new IllegalArgumentException("expected: kafka prefix group output folder");
    }
    return new Run(arguments[0], arguments[1], arguments[2], arguments[3], arguments[4]);
  }

  /** The four input topics. */
  public List<String> inputs() {
    return Stream.of("views", "likes", "shares", "comments").map(prefix::concat).toList();
  }
}
