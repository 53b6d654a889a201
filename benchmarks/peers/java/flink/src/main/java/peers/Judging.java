package peers;

import org.apache.flink.api.common.functions.OpenContext;
import org.apache.flink.api.common.state.MapState;
import org.apache.flink.api.common.state.MapStateDescriptor;
import org.apache.flink.streaming.api.functions.KeyedProcessFunction;
import org.apache.flink.util.Collector;

/** Looks at each window that changed, and makes each award once. */
final class Judging extends KeyedProcessFunction<String, Summing.Window, Bonus> {
  private transient MapState<Long, Boolean> latches;

  @Override
  public void open(OpenContext context) {
    latches = getRuntimeContext().getMapState(new MapStateDescriptor<>("latches", Long.class, Boolean.class));
  }

  @Override
  public void processElement(Summing.Window window, Context context, Collector<Bonus> bonuses) throws Exception {
    int at = window.subject.indexOf(Sliding.BETWEEN_IDS);
    String creatorId = at < 0 ? window.subject : window.subject.substring(0, at);
    String videoId = at < 0 ? null : window.subject.substring(at + 1);
    for (Tier tier : Tier.of(videoId == null ? Kind.CREATOR : Kind.VIDEO)) {
      long latch = tier.latchAt(window.lastPane);
      if (tier.reachedBy(window.counts) && !latches.contains(latch)) {
        latches.put(latch, true);
        bonuses.collect(Bonus.of(Award.of(tier, window.lastPane, window.counts), creatorId, videoId));
      }
    }
  }
}
