"""How much time is left, and whether the next row fits into it."""

from __future__ import annotations

import time
from collections.abc import Callable

# What a row cost lately counts for more than what the first ones cost: shapes grow along a suite.
SMOOTHING = 0.2
# Left over for the last row's second look and for writing everything.
RESERVE_S = 5.0


class Budget:
    """A deadline, and what rows of each suite cost so far. `budget_s` <= 0 means no deadline."""

    def __init__(self, budget_s: float, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._start_s = clock()
        self._budget_s = budget_s
        self._row_s: dict[str, float] = {}

    def elapsed_s(self) -> float:
        return self._clock() - self._start_s

    def left_s(self) -> float:
        """Seconds until the deadline; infinite without one."""
        return self._budget_s - self.elapsed_s() if self._budget_s > 0 else float("inf")

    def record(self, suite: str, seconds: float) -> None:
        """Notes what a row of the suite took."""
        known = self._row_s.get(suite)
        self._row_s[suite] = seconds if known is None else known + SMOOTHING * (seconds - known)

    def expected_s(self, suite: str, guess_s: float) -> float:
        """Seconds that the next row of the suite will take: as lately, or the guess before there is any."""
        return self._row_s.get(suite, guess_s)

    def has_room(self, suite: str, guess_s: float) -> bool:
        """Whether a row of the suite, guessed to take `guess_s`, will be done before the deadline."""
        return self.left_s() - RESERVE_S >= max(self.expected_s(suite, guess_s), guess_s)

    def remaining_s(self, guesses: list[tuple[str, float]]) -> float:
        """Seconds that these rows, (suite, guess), will take, whatever the deadline."""
        return sum(self.expected_s(suite, guess_s) for suite, guess_s in guesses)
