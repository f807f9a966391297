"""One line a step of long work, with the time that is left."""

import sys
import time


class Progress:
    """Counts `total` steps; `step` writes what was reached and the time left to standard error."""

    def __init__(self, title: str, total: int):
        self._title, self._total, self._done = title, total, 0
        self._started = time.monotonic()

    def step(self, text: str = "") -> None:
        """One more step is done."""
        self._done += 1
        left = self.seconds / self._done * (self._total - self._done)
        bar = "█" * round(20 * self._done / self._total)
        sys.stderr.write(f"{self._title}  {bar:<20} {self._done}/{self._total}  {text}  {_clock(left)} left\n")
        sys.stderr.flush()

    @property
    def seconds(self) -> float:
        """Seconds since the start."""
        return time.monotonic() - self._started


def _clock(seconds: float) -> str:
    return f"{int(seconds) // 60}:{int(seconds) % 60:02d}"
