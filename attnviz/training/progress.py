"""One line a step of long work, with the time that is left."""

import sys
import time


class Progress:
    """Counts `total` steps; what was reached and the time left go to standard error, at most every few seconds."""

    def __init__(self, title: str, total: int, seconds: float = 5.0):
        self._title, self._total, self._seconds = title, total, seconds
        self._done, self._written = 0, 0.0
        self._started = time.monotonic()

    def step(self, text: str = "") -> None:
        """One more step is done."""
        self._done += 1
        if self._done < self._total and self.seconds - self._written < self._seconds:
            return
        self._written = self.seconds
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
