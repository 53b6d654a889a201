package peers;

/** What is counted; each has a topic of its own. */
public enum Metric {
  VIEWS,
  LIKES,
  SHARES,
  COMMENTS;

  public static final int COUNT = values().length;

  /** The metric of an input topic, whatever the topic's prefix. */
  public static Metric ofTopic(String topic) {
    return switch (topic.substring(topic.lastIndexOf('.') + 1)) {
      case "views" -> VIEWS;
      case "likes" -> LIKES;
      case "shares" -> SHARES;
      case "comments" -> COMMENTS;
      default -> throw new IllegalArgumentException("no input: " + topic);
    };
  }
}
