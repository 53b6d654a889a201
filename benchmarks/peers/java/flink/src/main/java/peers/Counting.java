package peers;

import java.util.Iterator;
import java.util.Map;
import org.apache.flink.api.common.functions.OpenContext;
import org.apache.flink.api.common.state.MapState;
import org.apache.flink.api.common.state.MapStateDescriptor;
import org.apache.flink.api.common.state.ValueState;
import org.apache.flink.api.common.state.ValueStateDescriptor;
import org.apache.flink.streaming.api.functions.KeyedProcessFunction;
import org.apache.flink.util.Collector;

/** Counts each event of a creator once, for the creator and for the video. */
final class Counting extends KeyedProcessFunction<String, Event, Bonus> {
  private static final long ID_WINDOW_MS = 65 * 60_000;
  private static final long SWEEP_MS = 10 * 60_000;

  private transient MapState<String, Long> ids;
  private transient ValueState<Subject> creator;
  private transient MapState<String, Subject> videos;

  @Override
  public void open(OpenContext context) {
    ids = getRuntimeContext().getMapState(new MapStateDescriptor<>("ids", String.class, Long.class));
    creator = getRuntimeContext().getState(new ValueStateDescriptor<>("creator", Subject.class));
    videos = getRuntimeContext().getMapState(new MapStateDescriptor<>("videos", String.class, Subject.class));
  }

  @Override
  public void processElement(Event event, Context context, Collector<Bonus> bonuses) throws Exception {
    if (!isNew(event)) {
      return;
    }
    long sweepAt = (event.appendedAt / SWEEP_MS + 1) * SWEEP_MS + ID_WINDOW_MS;
    context.timerService().registerEventTimeTimer(sweepAt);
    if (Kind.CREATOR.counts(event)) {
      Subject subject = creator.value();
      creator.update(counted(subject, Kind.CREATOR, event, bonuses));
    }
    if (Kind.VIDEO.counts(event)) {
      Subject subject = videos.get(event.videoId);
      videos.put(event.videoId, counted(subject, Kind.VIDEO, event, bonuses));
    }
  }

  private boolean isNew(Event event) throws Exception {
    String id = event.metric.ordinal() + event.eventId;
    Long before = ids.get(id);
    if (before != null && event.appendedAt - before <= ID_WINDOW_MS) {
      return false;
    }
    ids.put(id, event.appendedAt);
    return true;
  }

  private static Subject counted(Subject before, Kind kind, Event event, Collector<Bonus> bonuses) {
    Subject subject = before == null ? new Subject() : before;
    subject.count(
        kind, event.metric, event.pane(), award -> bonuses.collect(Bonus.of(award, event.creatorId, event.videoId)));
    return subject;
  }

  /** Forgets event ids that can't come again any more. */
  @Override
  public void onTimer(long timestamp, OnTimerContext context, Collector<Bonus> bonuses) throws Exception {
    Iterator<Map.Entry<String, Long>> held = ids.iterator();
    while (held.hasNext()) {
      if (held.next().getValue() < timestamp - ID_WINDOW_MS) {
        held.remove();
      }
    }
  }
}
