"""How much time is left, and whether the next row fits into it."""

from __future__ import annotations

import time
from collections import defaultdict, deque
from collections.abc import Callable

from tables import median

# Shapes change along a suite: only so many rows measured last count, and their middle one, so that a few rows whose
# kernels had to be compiled first change nothing.
NUM_RECENT = 9
# Left over for the last row's second look and for writing everything.
RESERVE_S = 5.0

# Compiling, checking and choosing the kernels of a part comes before its first row, and is in no row's guess: with less
# time left than this, no part is begun.
PREPARE_S = 30.0


class Budget:
    """A deadline, and how wrong the guesses for each suite's rows were so far. `budget_s` <= 0 means no deadline."""

    def __init__(
        self, budget_s: float, clock: Callable[[], float] = time.monotonic, start_s: float | None = None
    ) -> None:
        self._clock = clock
        self._start_s = clock() if start_s is None else start_s
        self._budget_s = budget_s
        self._recent: dict[str, deque[float]] = defaultdict(lambda: deque(maxlen=NUM_RECENT))

    def elapsed_s(self) -> float:
        return self._clock() - self._start_s

    def left_s(self) -> float:
        """Seconds until the deadline; infinite without one."""
        return self._budget_s - self.elapsed_s() if self._budget_s > 0 else float("inf")

    def record(self, suite: str, guess_s: float, seconds: float) -> None:
        """Notes what a row of the suite took that was guessed to take `guess_s` > 0."""
        self._recent[suite].append(seconds / guess_s)

    def expected_s(self, suite: str, guess_s: float) -> float:
        """Seconds that a row will take, compiling left out: the guess, as wrong as the suite's guesses lately were."""
        return guess_s * (median(self._recent[suite]) if suite in self._recent else 1.0)

    def has_room(self, suite: str, guess_s: float) -> bool:
        """Whether a row of the suite, guessed to take `guess_s`, will be done before the deadline."""
        return self.left_s() - RESERVE_S >= self.expected_s(suite, guess_s)

    def remaining_s(self, guesses: list[tuple[str, float]]) -> float:
        """Seconds that these rows, (suite, guess), will take, whatever the deadline."""
        return sum(self.expected_s(suite, guess_s) for suite, guess_s in guesses)
