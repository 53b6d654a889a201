"""How long each step of a take took, for the log: where a slow take-over loses its time."""

import time


class Laps:
    """A stopwatch; ``seconds`` are those of each step that has ended, in order."""

    def __init__(self) -> None:
        self._began_s = self._at_s = time.monotonic()
        self.seconds: dict[str, float] = {}

    def end(self, step: str) -> None:
        """A step has ended; the next one begins."""
        now_s = time.monotonic()
        self.seconds[step] = round(now_s - self._at_s, 3)
        self._at_s = now_s

    @property
    def total_s(self) -> float:
        """From the beginning to the end of the last step."""
        return round(self._at_s - self._began_s, 3)
