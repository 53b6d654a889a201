package peers;

import java.nio.charset.StandardCharsets;
import java.util.Locale;

/** An award to be made: the tier, the start of its period in Unix ms, and the pane and sums of the window. */
public record Award(Tier tier, long period, long pane, int[] sums) {
  /** The period of a tier that pays once for all. */
  public static final long FOR_GOOD = 0;

  /** The award for a window that ends with the pane. */
  public static Award of(Tier tier, long pane, int[] sums) {
    return new Award(tier, tier.period(pane), pane, sums.clone());
  }

  /** The bonus as JSON; ids of the load need no escapes. */
  public byte[] bonus(String creatorId, String videoId) {
    String json =
        """
        {"program":"%s","tier":"%s","creator_id":"%s","video_id":%s,"period_start":%s,\
        "window_end":%d,"views":%d,"likes":%d,"shares":%d,"comments":%d}"""
            .formatted(
                tier.program,
                tier.name().toLowerCase(Locale.ROOT),
                creatorId,
                tier.kind == Kind.VIDEO ? '"' + videoId + '"' : "null",
                period == FOR_GOOD ? "null" : Long.toString(period),
                (pane + 1) * Subject.PANE_MS,
                sums[Metric.VIEWS.ordinal()],
                sums[Metric.LIKES.ordinal()],
                sums[Metric.SHARES.ordinal()],
                sums[Metric.COMMENTS.ordinal()]);
    return json.getBytes(StandardCharsets.UTF_8);
  }
}
