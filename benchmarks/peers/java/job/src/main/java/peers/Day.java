package peers;

import java.time.Instant;
import java.time.LocalDate;
import java.time.ZoneId;

/** Local days of New York. The last one is kept, for events come day by day. */
final class Day {
  private static final ZoneId ZONE = ZoneId.of("America/New_York");
  private static volatile Day last = new Day(0, 0);

  private final long startMs;
  private final long endMs;

  private Day(long startMs, long endMs) {
    this.startMs = startMs;
    this.endMs = endMs;
  }

  /** The start, in Unix ms, of the local day that holds an instant. */
  static long startOf(long atMs) {
    Day day = last;
    if (atMs < day.startMs || atMs >= day.endMs) {
      LocalDate date = LocalDate.ofInstant(Instant.ofEpochMilli(atMs), ZONE);
      day = new Day(startOf(date), startOf(date.plusDays(1)));
      last = day;
    }
    return day.startMs;
  }

  private static long startOf(LocalDate date) {
    return date.atStartOfDay(ZONE).toInstant().toEpochMilli();
  }
}
