package peers;

import org.apache.flink.api.common.functions.AggregateFunction;

/** Sums a window's counts. */
final class Summing implements AggregateFunction<Sliding.Counted, Summing.Window, Summing.Window> {
  /** What a window of a subject holds so far. */
  public static final class Window {
    public String subject;
    public long lastPane;
    public long newestPane = Long.MIN_VALUE;
    public int[] counts = new int[Metric.COUNT];
  }

  @Override
  public Window createAccumulator() {
    return new Window();
  }

  @Override
  public Window add(Sliding.Counted counted, Window window) {
    window.counts[counted.metric.ordinal()]++;
    window.newestPane = Math.max(window.newestPane, counted.pane);
    return window;
  }

  @Override
  public Window getResult(Window window) {
    return window;
  }

  @Override
  public Window merge(Window one, Window other) {
    throw new UnsupportedOperationException("sliding windows are never merged");
  }
}
