package peers;

import com.fasterxml.jackson.annotation.JsonIgnoreProperties;
import com.fasterxml.jackson.annotation.JsonProperty;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.ObjectReader;
import java.io.IOException;
import java.util.Optional;

/** An engagement event, as far as the job looks at it. Times are Unix ms. Public fields: Flink serialises it as a POJO. */
@JsonIgnoreProperties(ignoreUnknown = true)
public final class Event {
  private static final ObjectReader READER = new ObjectMapper().readerFor(Event.class);
  private static final long LATENESS_MS = 3_600_000;

  @JsonProperty("event_id")
  public String eventId;

  @JsonProperty("creator_id")
  public String creatorId;

  @JsonProperty("video_id")
  public String videoId;

  @JsonProperty("viewer_id")
  public String viewerId;

  @JsonProperty("occurred_at")
  public long occurredAt;

  @JsonProperty("watch_ms")
  public int watchMs;

  public boolean paid;

  /** Told by the topic, not by the record's value. */
  public Metric metric;

  /** The record's Kafka timestamp. */
  public long appendedAt;

  /** Decodes a record; empty where it holds no event, or one that comes more than an hour late. */
  public static Optional<Event> decode(String topic, long timestamp, byte[] value) {
    Event event;
    try {
      event = READER.readValue(value);
    } catch (IOException | IllegalArgumentException notAnEvent) {
      return Optional.empty();
    }
    if (event.eventId == null || event.creatorId == null || event.videoId == null || event.viewerId == null) {
      return Optional.empty();
    }
    event.metric = Metric.ofTopic(topic);
    event.appendedAt = timestamp;
    return timestamp - event.occurredAt > LATENESS_MS ? Optional.empty() : Optional.of(event);
  }

  /** The pane of event time that it occurred in. */
  public long pane() {
    return Math.floorDiv(occurredAt, Subject.PANE_MS);
  }
}
