"""What there is to measure: cases, one a row, and the suites they belong to."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

Cell = str | int | float


@dataclass(frozen=True)
class Case:
    """One row to be measured."""

    suite: str
    # File that the row goes to, relative to the output folder.
    table: str
    # Cells that tell it from the other rows of its file, in the order of the file's columns.
    key: dict[str, Cell]
    # 0 = what predictions need most; all suites' tier 0 comes before any suite's tier 1.
    tier: int
    # Guessed seconds, build included: only for planning.
    guess_s: float
    # What the suite needs besides the key to build it.
    shape: dict[str, Any] = field(default_factory=dict)
    # What is compiled, chosen and checked together before the first of its rows: an element type, a head size, a model.
    part: str = ""

    def identity(self) -> str:
        """Same for the same row, whatever wrote it."""
        return f"{self.table}?" + "&".join(f"{name}={value}" for name, value in self.key.items())


@dataclass
class Work:
    """A case made ready: runs that can be timed."""

    # One run each, on inputs of their own; together they touch more than the caches hold.
    calls: Sequence[Callable[[], object]]
    # Guess of one run, to choose how many make a graph.
    estimate_us: float
    # Further cells of the row.
    cells: dict[str, Cell] = field(default_factory=dict)
    # Runs of the calls in one graph that count as one measurement; 1 = the latency of one call.
    calls_per_run: int = 1
    # A look keeps the GPU busy with runs for so long, and the last half of it counts; 0 = a short burst.
    sustained_us: float = 0.0
    # Whether the calls may be captured; copies between host and device are timed without a graph.
    captured: bool = True


class Suite(Protocol):
    """A family of kernels: lists its rows, checks its kernels once, and makes rows ready."""

    name: str

    def cases(self) -> Iterable[Case]:
        """Every row worth having, tiers in any order."""

    def prepare(self, case: Case) -> None:
        """
        Before the first row of the case's part: compiles its kernels, chooses among them and checks them against a
        reference; raises KernelRefused where one is wrong.
        """

    def build(self, case: Case) -> Work:
        """Makes a row ready; raises KernelRefused where it cannot be run here."""

    def release(self) -> None:
        """Frees what `prepare` and `build` hold."""


class KernelRefused(Exception):
    """A kernel that gave a wrong result, or cannot run here; its rows are left out and the reason is kept."""


class DeviceLost(Exception):
    """The GPU answers no more: a kernel went wrong in a way that only a new process mends."""


def in_order_of_value(cases: Iterable[Case], suites: Sequence[str]) -> list[Case]:
    """By tier, then by suite in the order given, then as the suite lists them."""
    rank = {name: i for i, name in enumerate(suites)}
    return sorted(cases, key=lambda case: (case.tier, rank[case.suite]))
