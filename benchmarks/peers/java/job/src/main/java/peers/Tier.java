package peers;

import static peers.Metric.COMMENTS;
import static peers.Metric.LIKES;
import static peers.Metric.SHARES;
import static peers.Metric.VIEWS;

import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.Predicate;
import java.util.stream.Stream;

/** The tiers of all three programmes: whom, by what, and how often they pay. */
public enum Tier {
  BRONZE("creator-views-0", Kind.CREATOR, false, Set.of(VIEWS), sums -> views(sums) >= 100),
  SILVER("creator-views-0", Kind.CREATOR, false, Set.of(VIEWS), sums -> views(sums) >= 1_000),
  GOLD("creator-views-0", Kind.CREATOR, false, Set.of(VIEWS), sums -> views(sums) >= 5_000),
  RISING("video-views-0", Kind.VIDEO, false, Set.of(VIEWS), sums -> views(sums) >= 50),
  HOT("video-views-0", Kind.VIDEO, false, Set.of(VIEWS, LIKES), sums -> views(sums) >= 250 && likes(sums) >= 25),
  VIRAL(
      "video-views-0",
      Kind.VIDEO,
      false,
      Set.of(VIEWS, LIKES, SHARES),
      sums -> views(sums) >= 2_500 && (likes(sums) >= 250 || shares(sums) >= 250)),
  LIKED("creator-day-0", Kind.CREATOR, true, Set.of(LIKES), sums -> likes(sums) >= 50),
  DISCUSSED("creator-day-0", Kind.CREATOR, true, Set.of(COMMENTS), sums -> comments(sums) >= 50),
  SHARED("creator-day-0", Kind.CREATOR, true, Set.of(SHARES), sums -> shares(sums) >= 50);

  /** No count of fewer brings a tier about. */
  public static final int LEAST = 25;

  private static final int LATCH_TIER_BITS = 4;
  private static final Map<Kind, Map<Metric, List<Tier>>> NAMING = new EnumMap<>(Kind.class);

  static {
    for (Kind kind : Kind.values()) {
      Map<Metric, List<Tier>> naming = new EnumMap<>(Metric.class);
      for (Metric metric : Metric.values()) {
        naming.put(metric, Stream.of(values()).filter(tier -> tier.kind == kind && tier.names.contains(metric)).toList());
      }
      NAMING.put(kind, naming);
    }
  }

  public final String program;
  public final Kind kind;
  private final boolean oncePerDay;
  private final Set<Metric> names;
  private final Predicate<int[]> reached;

  Tier(String program, Kind kind, boolean oncePerDay, Set<Metric> names, Predicate<int[]> reached) {
    this.program = program;
    this.kind = kind;
    this.oncePerDay = oncePerDay;
    this.names = names;
    this.reached = reached;
  }

  /** The tiers of a kind of subject that name a metric: those that a count of it can bring about. */
  public static List<Tier> naming(Kind kind, Metric metric) {
    return NAMING.get(kind).get(metric);
  }

  /** Whether it is reached by these sums of a window, by metric. */
  public boolean reachedBy(int[] sums) {
    return reached.test(sums);
  }

  /** Whether one of the metrics that it names was counted in a pane with these counts. */
  public boolean isJudgedAt(int[] counts) {
    for (Metric metric : names) {
      if (counts[metric.ordinal()] > 0) {
        return true;
      }
    }
    return false;
  }

  /** The start, in Unix ms, of the period within which it pays once, for a window that ends with the pane. */
  public long period(long pane) {
    return oncePerDay ? Day.startOf(pane * Subject.PANE_MS) : Award.FOR_GOOD;
  }

  /** The tiers of a kind of subject. */
  public static List<Tier> of(Kind kind) {
    return Stream.of(values()).filter(tier -> tier.kind == kind).toList();
  }

  /** What is remembered of an award for a window that ends with the pane: unlike that of any other of the subject. */
  public long latchAt(long pane) {
    return period(pane) << LATCH_TIER_BITS | ordinal();
  }

  private static int views(int[] sums) {
    return sums[VIEWS.ordinal()];
  }

  private static int likes(int[] sums) {
    return sums[LIKES.ordinal()];
  }

  private static int shares(int[] sums) {
    return sums[SHARES.ordinal()];
  }

  private static int comments(int[] sums) {
    return sums[COMMENTS.ordinal()];
  }
}
