"""What there is to measure, what of it is there, and how long the rest takes. Needs no GPU, and no PyTorch."""

from __future__ import annotations

import sys
import types
from collections.abc import Callable, Mapping, Sequence
from itertools import accumulate
from typing import Any

from budget import PREPARE_S, RESERVE_S, Budget
from cases import Case, Suite, in_order_of_value

# Whose times the guesses are.
PLANNED: dict[str, Any] = {"name": "NVIDIA H200", "numSms": 132, "memoryBytes": 150_108_897_280, "l2Bytes": 62_914_560}
TIERS = {
    0: "what predictions need most: bandwidth, whole steps, and the first models at sizes an octave apart",
    1: "the same sizes for all other models, rare prompt lengths, questions that tables do not answer",
    2: "sizes between, for the first models",
    3: "sizes between, for all other models",
}


class Plan:
    """The cases of some suites in order of value, and which of them are missing in a folder."""

    def __init__(self, suites: Sequence[Suite], holds: Callable[[Case], bool], refused: Mapping[str, str]) -> None:
        """`holds`: whether a case's row is there. It and `refused` may change while the plan is carried out."""
        self.suites = [suite.name for suite in suites]
        self.cases = in_order_of_value([case for suite in suites for case in suite.cases()], self.suites)
        self._holds, self._refused = holds, refused

    def missing(self) -> list[Case]:
        """Cases without a row that nothing has refused, in order of value."""
        return [case for case in self.cases if not self.is_refused(case) and not self._holds(case)]

    def is_refused(self, case: Case) -> bool:
        return part_of(case) in self._refused or case.identity() in self._refused


def part_of(case: Case) -> str:
    """The name of what is checked together, as it is refused."""
    return f"{case.suite} {case.part}".strip()


def summary(plan: Plan, budget: Budget | None) -> str:
    """A table of suites: rows there, missing and refused; with a budget also the seconds that the missing ones take."""
    heading = f"{'suite':<14} {'tier':>4} {'there':>6} {'missing':>8} {'refused':>8}"
    lines = [heading if budget is None else f"{heading} {'seconds':>8}"]
    missing = {id(case) for case in plan.missing()}
    for name in plan.suites:
        for tier in sorted({case.tier for case in plan.cases if case.suite == name}):
            cases = [case for case in plan.cases if case.suite == name and case.tier == tier]
            rest = [case for case in cases if id(case) in missing]
            refused = sum(plan.is_refused(case) for case in cases)
            line = f"{name:<14} {tier:>4} {len(cases) - len(rest) - refused:>6} {len(rest):>8} {refused:>8}"
            lines.append(line if budget is None else f"{line} {budget.remaining_s(guesses(rest)):>8.0f}")
    return "\n".join(lines)


def guesses(cases: Sequence[Case]) -> list[tuple[str, float]]:
    return [(case.suite, case.guess_s) for case in cases]


def tier_summary(missing: Sequence[Case]) -> str:
    """Minutes that the missing rows of each tier take, and with all tiers before it."""
    lines = [f"{'tier':>4} {'rows':>6} {'minutes':>8} {'in all':>7}"]
    total_s = 0.0
    for tier in sorted({case.tier for case in missing}):
        rows = [case for case in missing if case.tier == tier]
        seconds = sum(case.guess_s for case in rows)
        total_s += seconds
        lines.append(f"{tier:>4} {len(rows):>6} {seconds / 60:>8.1f} {total_s / 60:>7.1f}  {TIERS[tier]}")
    return "\n".join(lines)


def budget_summary(missing: Sequence[Case], budget_s: float) -> str:
    """How far one run of so many seconds comes, and how many such runs are all."""
    room_s = budget_s - RESERVE_S
    ends_s = list(accumulate(case.guess_s for case in missing))
    done = sum(end_s <= room_s for end_s in ends_s)
    if budget_s < PREPARE_S or done == 0:
        return (
            f"{budget_s:.0f} s are too few: kernels are not begun to be compiled with less than {PREPARE_S:.0f} s left"
        )
    if done == len(missing):
        return f"{budget_s:.0f} s are enough for all of them"
    last = missing[done - 1]
    runs = -(-ends_s[-1] // room_s)
    return f"{budget_s:.0f} s: {done} rows, into tier {last.tier} of {last.suite}; {runs:.0f} such runs for all of them"


def stand_in_for_torch() -> None:
    """
    Where PyTorch is missing, something of its name that has all its names and does nothing: the suites' modules mention
    its types, and a plan calls none of it.
    """
    module = types.ModuleType("torch")

    def anything(name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        return types.SimpleNamespace(name=name)

    module.__getattr__ = anything  # type: ignore[method-assign, assignment]
    module.cuda = types.SimpleNamespace(is_available=lambda: False)  # type: ignore[attr-defined]
    module.device = lambda kind, index=0: types.SimpleNamespace(type=kind, index=index)  # type: ignore[attr-defined]
    sys.modules["torch"] = module
