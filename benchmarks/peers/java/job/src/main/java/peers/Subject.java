package peers;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.function.Consumer;

/**
 * One creator or video: minute panes, the running sums of the window that ends with the newest pane, and what was
 * awarded.
 *
 * <p>Public fields and collections, for Flink serialises it as a POJO.
 */
public final class Subject {
  public static final long PANE_MS = 60_000;
  public static final int WINDOW_PANES = 1_440;

  /** Panes older than a window are kept for what comes late: up to an hour, and five minutes of wrong clocks. */
  public static final int LATE_PANES = 65;

  /** Two windows: topics that are read at once from their start, in a replay, get further apart than that. */
  private static final int KEPT_PANES = 2 * WINDOW_PANES;

  /** The counts of one minute, by metric. */
  public static final class Pane {
    public long number;
    public int[] counts = new int[Metric.COUNT];
  }

  /** Panes that hold a count, the oldest first. */
  public List<Pane> panes = new ArrayList<>();

  /** The index of the first pane that lies in the newest window. */
  public int first;

  public int[] sums = new int[Metric.COUNT];

  /** The sums of all panes that are kept: no window holds more. */
  public int[] total = new int[Metric.COUNT];

  public List<Long> latches = new ArrayList<>();

  /** Counts one event of the metric in the pane, and hands over each award that this brings about. */
  public void count(Kind kind, Metric metric, long number, Consumer<Award> awards) {
    int index = paneAt(number);
    panes.get(index).counts[metric.ordinal()]++;
    if (index >= first) {
      sums[metric.ordinal()]++;
    }
    total[metric.ordinal()]++;
    if (total[metric.ordinal()] < Tier.LEAST) {
      return;
    }
    if (index == panes.size() - 1) {
      judge(Tier.naming(kind, metric), index, sums, awards);
    } else {
      judgeLaterPanes(Tier.naming(kind, metric), index, awards);
    }
  }

  /** The index of the pane with this number, which is made where it is missing. */
  private int paneAt(long number) {
    int index = panes.size();
    while (index > 0 && panes.get(index - 1).number > number) {
      index--;
    }
    if (index > 0 && panes.get(index - 1).number == number) {
      return index - 1;
    }
    boolean newest = index == panes.size();
    Pane pane = new Pane();
    pane.number = number;
    panes.add(index, pane);
    if (!newest) {
      if (number <= newest() - WINDOW_PANES) {
        first++;
      }
      return index;
    }
    roll();
    return panes.size() - 1;
  }

  private long newest() {
    return panes.get(panes.size() - 1).number;
  }

  /** Takes out of the sums what the newest window no longer holds, and forgets what nothing can ask for any more. */
  private void roll() {
    while (panes.get(first).number <= newest() - WINDOW_PANES) {
      add(sums, panes.get(first++).counts, -1);
    }
    int forgotten = 0;
    while (panes.get(forgotten).number <= newest() - KEPT_PANES) {
      add(total, panes.get(forgotten++).counts, -1);
    }
    panes.subList(0, forgotten).clear();
    first -= forgotten;
  }

  /**
   * A late event changes the windows of its own pane and of later ones: they are gone through backwards.
   *
   * <p>That is seldom worth it: no window holds more than all panes do, and most tiers are paid already.
   */
  private void judgeLaterPanes(List<Tier> naming, int from, Consumer<Award> awards) {
    List<Tier> open = naming.stream().filter(tier -> tier.reachedBy(total) && !isPaid(tier, from)).toList();
    if (open.isEmpty()) {
      return;
    }
    int[] window = sums.clone();
    int start = first;
    for (int index = panes.size() - 1; index >= from; index--) {
      long number = panes.get(index).number;
      while (start > 0 && panes.get(start - 1).number > number - WINDOW_PANES) {
        add(window, panes.get(--start).counts, 1);
      }
      if (number - panes.get(from).number < WINDOW_PANES) {
        judge(open, index, window, awards);
      }
      add(window, panes.get(index).counts, -1);
    }
  }

  /** Whether it is paid for all windows that hold a pane, which end on two days at the most. */
  private boolean isPaid(Tier tier, int from) {
    long number = panes.get(from).number;
    long last = Math.min(newest(), number + WINDOW_PANES - 1);
    return latches.contains(tier.latchAt(number)) && latches.contains(tier.latchAt(last));
  }

  private void judge(List<Tier> tiers, int index, int[] window, Consumer<Award> awards) {
    Pane pane = panes.get(index);
    for (Tier tier : tiers) {
      if (tier.reachedBy(window) && tier.isJudgedAt(pane.counts)) {
        long latch = tier.latchAt(pane.number);
        if (!latches.contains(latch)) {
          latches.add(latch);
          awards.accept(Award.of(tier, pane.number, window));
        }
      }
    }
  }

  private static void add(int[] sums, int[] counts, int sign) {
    Arrays.setAll(sums, metric -> sums[metric] + sign * counts[metric]);
  }
}
