"""The step of a rolling window: how far apart the panes are at which it is judged."""

MAX_PANES = 10_000
LEAST_DEFAULT_PANES = 100
DEFAULT_STEPS_MS = (86_400_000, 3_600_000, 600_000, 60_000, 10_000, 1_000)


def default_step_ms(rolling_ms: int) -> int | None:
    """The largest of 1d, 1h, 10m, 1m, 10s, 1s that divides the window and is at most a hundredth of it.

    ``None`` where there is none, or where it would cut the window into more than ``MAX_PANES`` panes: the step
    must be written then.
    """
    for step_ms in DEFAULT_STEPS_MS:
        if rolling_ms % step_ms == 0 and step_ms * LEAST_DEFAULT_PANES <= rolling_ms:
            return step_ms if rolling_ms <= step_ms * MAX_PANES else None
    return None
