package peers;

/** Whom bonuses are for. What counts differs: the three programmes share no counter. */
public enum Kind {
  CREATOR {
    @Override
    public boolean counts(Event event) {
      return switch (event.metric) {
        case VIEWS -> event.watchMs >= 5_000 && !event.paid;
        case LIKES -> !event.paid;
        case SHARES, COMMENTS -> !event.viewerId.equals(event.creatorId);
      };
    }
  },

  VIDEO {
    @Override
    public boolean counts(Event event) {
      return switch (event.metric) {
        case VIEWS -> event.watchMs >= 3_000;
        case LIKES, SHARES -> true;
        case COMMENTS -> false;
      };
    }
  };

  /** Whether the event counts for subjects of this kind. */
  public abstract boolean counts(Event event);
}
