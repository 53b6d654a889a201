package peers;

import java.nio.charset.StandardCharsets;

/** A bonus on its way to the output topic, as bytes. */
public final class Bonus {
  public byte[] key;
  public byte[] value;

  static Bonus of(Award award, String creatorId, String videoId) {
    Bonus bonus = new Bonus();
    bonus.key = creatorId.getBytes(StandardCharsets.UTF_8);
    bonus.value = award.bonus(creatorId, videoId);
    return bonus;
  }
}
