package peers;

/** What is kept of a subject beside its panes: the newest pane, the sums of the window that it ends, the awards made. */
record Head(long pane, int[] sums, long[] latches) {
  static final Head NONE = new Head(Long.MIN_VALUE, new int[Metric.COUNT], new long[0]);

  boolean isNone() {
    return pane == Long.MIN_VALUE;
  }

  boolean holds(long latch) {
    for (long held : latches) {
      if (held == latch) {
        return true;
      }
    }
    return false;
  }
}
