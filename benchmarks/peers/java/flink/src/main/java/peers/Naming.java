package peers;

import org.apache.flink.streaming.api.functions.windowing.ProcessWindowFunction;
import org.apache.flink.streaming.api.windowing.windows.TimeWindow;
import org.apache.flink.util.Collector;

/** Names the window that changed; left out are those in whose last minute nothing was counted. */
final class Naming extends ProcessWindowFunction<Summing.Window, Summing.Window, String, TimeWindow> {
  @Override
  public void process(
      String subject, Context context, Iterable<Summing.Window> summed, Collector<Summing.Window> windows) {
    Summing.Window window = summed.iterator().next();
    window.subject = subject;
    window.lastPane = context.window().getEnd() / Subject.PANE_MS - 1;
    if (window.newestPane == window.lastPane) {
      windows.collect(window);
    }
  }
}
