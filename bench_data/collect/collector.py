"""Measures cases in order of value until all are there, the budget is spent, or somebody says stop."""

from __future__ import annotations

import contextlib
import gc
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch

from budget import PREPARE_S, Budget
from cases import Case, Cell, DeviceLost, KernelRefused, Suite, Work
from environment import SmiLog
from plan import Plan, guesses, part_of
from sidecar import Sidecar, utc_now
from tables import RESULT_COLUMNS, FolderUnusable, StepFile, Table, Tables
from timing import Looks, timer_of
from workbench import Workbench, one_line

PROGRESS_EVERY_S = 15.0
# Memory that graphs and rows gone by left behind; a capture cannot take it back by itself, and would fail for want of it.
MAX_UNUSED_BYTES = 4 << 30
# So many refusals in a row are no matter of single rows.
MAX_REFUSED_IN_A_ROW = 40
# What no other row mends.
FATAL = (DeviceLost, FolderUnusable)


@dataclass
class Pending:
    """A row that was looked at once; the second look comes after the next row's first."""

    case: Case
    work: Work
    looks: Looks
    spent_s: float


class Collector:
    """One session: opens nothing and prints only progress, on stderr."""

    def __init__(
        self, bench: Workbench, suites: Sequence[Suite], tables: Tables, sidecar: Sidecar, budget: Budget, smi: SmiLog,
        source: str,
    ) -> None:  # fmt: skip
        self.bench, self.tables, self.sidecar, self.budget, self.smi = bench, tables, sidecar, budget, smi
        self.suites = {suite.name: suite for suite in suites}
        self.plan = Plan(suites, tables.holds, sidecar.refused)
        self.stop_requested = False
        self._source = source
        self._session: dict[str, Any] = {}
        self._prepared: set[str] = set()
        self._pending: Pending | None = None
        self._suite: str | None = None
        self._next_progress_s = 0.0
        self._refused_in_a_row = 0

    def run(self, arguments: list[str]) -> str:
        """Measures; returns why it stopped. Everything found is on the disk, whatever is raised."""
        todo = self.plan.missing()
        self._session = self.sidecar.start_session(arguments)
        self.sidecar.write()
        reason = "an error"
        can_finish = True
        try:
            reason = self._measure_all(todo)
        except FATAL as error:
            reason = "a lost GPU" if isinstance(error, DeviceLost) else "a folder that cannot be written"
            can_finish = False
            raise
        finally:
            try:
                if can_finish:
                    self._finish_pending()
                    self._leave_suite()
            finally:
                self._session.update(endedUtc=utc_now(), seconds=round(self.budget.elapsed_s(), 1), stopped=reason)
                # What is told is what came first.
                with contextlib.nullcontext() if can_finish else contextlib.suppress(FolderUnusable):
                    self.sidecar.write()
        return reason

    def _measure_all(self, todo: Sequence[Case]) -> str:
        has_skipped = False
        for done, case in enumerate(todo):
            if self.stop_requested:
                return "a signal"
            if self.plan.is_refused(case):
                continue
            if not self.budget.has_room(case.suite, case.guess_s):
                return "the budget"
            if part_of(case) not in self._prepared and self.budget.left_s() < PREPARE_S:
                has_skipped = True
                continue
            if self._refused_in_a_row >= MAX_REFUSED_IN_A_ROW:
                return f"{MAX_REFUSED_IN_A_ROW} refusals in a row"
            if case.suite != self._suite:
                self._enter_suite(case.suite)
            self._progress(case, todo, done)
            self._measure(case)
        self._finish_pending()
        return "the budget" if has_skipped else "all rows are there"

    def _measure(self, case: Case) -> None:
        start_s = time.monotonic()
        try:
            part = part_of(case)
            if part not in self._prepared:
                self._finish_pending()
                self._check(part, case)
                start_s = time.monotonic()
            self._free_unused()
            work = self.suites[case.suite].build(case)
            looks = Looks(timer_of(work, self.bench.device))
        except FATAL:
            raise
        # Whatever a library or a compiler throws, other rows may run.
        except Exception as error:
            self._recover(case, error)
            return
        spent_s = time.monotonic() - start_s
        self._finish_pending()
        self._refused_in_a_row = 0
        self._pending = Pending(case, work, looks, spent_s)

    def _check(self, part: str, case: Case) -> None:
        """Checks a part once; one that is wrong is refused whole."""
        try:
            self.suites[case.suite].prepare(case)
        except FATAL:
            raise
        except Exception as error:
            self._refuse(part, str(error) if isinstance(error, KernelRefused) else one_line(error))
            raise
        self._prepared.add(part)

    def _finish_pending(self) -> None:
        """Looks at the row before again, and writes it."""
        pending, self._pending = self._pending, None
        if pending is None:
            return
        start_s = time.monotonic()
        try:
            latency_us, runs, apart = pending.looks.finish()
        except Exception as error:
            # Not the fault of the row that waits for its turn.
            self._recover(pending.case, error)
            return
        table = self.tables.table(pending.case.table)
        if isinstance(table, StepFile):
            table.append(
                {
                    **pending.case.key,
                    **pending.work.cells,
                    "latencyUs": round(latency_us, 2),
                    "runs": runs,
                    "repeatabilityFraction": round(apart, 5),
                    "source": self._source,
                }
            )
        else:
            self._append(table, pending, latency_us, runs, apart)
        self.budget.record(pending.case.suite, pending.case.guess_s, pending.spent_s + time.monotonic() - start_s)
        self._session["rowsWritten"] += 1

    def _append(self, table: Table, pending: Pending, latency_us: float, runs: int, apart: float) -> None:
        cells: dict[str, Cell] = {
            **pending.case.key,
            **pending.work.cells,
            "latency_us": latency_us,
            "runs": runs,
            "repeatability_fraction": apart,
            "device": str(self.sidecar.document["device"]["name"]),
            "source": self._source,
        }
        ends = {name: cells.pop(name) for name in RESULT_COLUMNS}
        table.append({**cells, **ends})

    def _recover(self, case: Case, error: Exception) -> None:
        """Notes a row that cannot be run and goes on, if the GPU still answers; DeviceLost if not."""
        self._refused_in_a_row += 1
        if not self.plan.is_refused(case):
            self._refuse(case.identity(), str(error) if isinstance(error, KernelRefused) else one_line(error))
        self.bench.require_alive(case.identity())
        self._free()

    def _refuse(self, what: str, why: str) -> None:
        self.sidecar.refused[what] = why
        self.sidecar.write()
        print(f"refused: {what}: {why}", file=sys.stderr, flush=True)

    def _enter_suite(self, name: str) -> None:
        self._finish_pending()
        self._leave_suite()
        self._suite = name
        self.smi.start()

    def _leave_suite(self) -> None:
        if self._suite is None:
            return
        self._session["suites"].append({"suite": self._suite, "untilUtc": utc_now(), "smi": self.smi.stop()})
        self.suites[self._suite].release()
        self._suite = None
        self.sidecar.write()
        self._free()

    def _free_unused(self) -> None:
        if self.bench.device.type != "cuda":
            return
        if torch.cuda.memory_reserved() - torch.cuda.memory_allocated() > MAX_UNUSED_BYTES:
            torch.cuda.empty_cache()

    def _free(self) -> None:
        """Gives back memory. Steps and their kernels refer to each other: only the collector of cycles ends them."""
        gc.collect()
        if self.bench.device.type == "cuda":
            torch.cuda.empty_cache()

    def _progress(self, case: Case, todo: Sequence[Case], done: int) -> None:
        now_s = self.budget.elapsed_s()
        if now_s < self._next_progress_s:
            return
        self._next_progress_s = now_s + PROGRESS_EVERY_S
        text = f"{now_s:5.0f} s  {case.suite}, tier {case.tier}: {len(todo) - done} rows to go"
        # Guesses are a GPU's: they say nothing about a self-test.
        if not self.bench.is_rehearsal:
            text += f", about {self.budget.remaining_s(guesses(todo[done:])):.0f} s"
        print(text, file=sys.stderr, flush=True)
