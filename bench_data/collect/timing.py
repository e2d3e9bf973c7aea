"""Times runs as serving engines run them: captured in a CUDA graph, many in a row, each on other inputs."""

from __future__ import annotations

import contextlib
import functools
import gc
import time
from typing import Protocol

import torch

from cases import Work
from tables import median

# A graph is at least so long: the CPU launches the next one in less, and what starting one costs is lost in it.
GRAPH_US = 1000.0
MAX_CALLS_PER_GRAPH = 1024
# Of one look, after the warm-up.
LOOK_US = 6000.0
MIN_REPLAYS = 3
MAX_REPLAYS = 20
# Warm is when two replays in a row agree, or after this long.
STEADY_FRACTION = 0.02
MAX_WARM_REPLAYS = 8
MAX_WARM_US = 60_000.0
# A GPU left alone for so long, while the CPU compiled, may have lowered its clocks; busy for so long, it has them back.
IDLE_S = 0.3
RAMP_US = 50_000.0
# Of the GPU before the first of a stream's timed runs: so long, they all wait in line when it is over.
HOLD_CYCLES = 2_000_000
# Two looks at a row further apart than this make it look again.
REPEATABLE_FRACTION = 0.05
MAX_LOOKS = 4

# To be raised when rows measured before and after a change of this program must not stand in one folder.
METHOD_VERSION = 1

METHOD = {
    "version": METHOD_VERSION,
    "graphUs": GRAPH_US,
    "lookUs": LOOK_US,
    "minReplays": MIN_REPLAYS,
    "maxReplays": MAX_REPLAYS,
    "steadyFraction": STEADY_FRACTION,
    "repeatableFraction": REPEATABLE_FRACTION,
    "maxLooks": MAX_LOOKS,
}


class Timer(Protocol):
    """A row made ready to be looked at, more than once."""

    def look(self) -> list[float]:
        """µs of one run, per timed replay."""


class GraphTimer:
    """Runs of a work in a CUDA graph, timed by events on the GPU."""

    # When the GPU was last known to be busy, whatever ran.
    busy_until_s = float("-inf")

    def __init__(self, work: Work) -> None:
        self._stream = _stream_after_current()
        self._work = work
        wanted_calls = round(GRAPH_US / max(work.estimate_us, 0.1))
        num_calls = max(len(work.calls), min(wanted_calls, MAX_CALLS_PER_GRAPH))
        with torch.cuda.stream(self._stream):
            # Compiles kernels and makes handles, which a capture must not.
            for call in work.calls[:2]:
                call()
                call()
            self._stream.synchronize()
            self._graph, pool = torch.cuda.CUDAGraph(), torch.cuda.graph_pool_handle()
            # Not `torch.cuda.graph`: it empties the allocator's cache every time.
            # Older graphs and steps that cycles hold must not be freed in the middle of a capture.
            gc.disable()
            try:
                self._graph.capture_begin(pool=pool)
                for i in range(num_calls):
                    work.calls[i % len(work.calls)]()
                self._graph.capture_end()
            except BaseException:
                _abandon(self._graph, pool)
                raise
            finally:
                gc.enable()
        self._runs_per_replay = num_calls / work.calls_per_run

    def look(self) -> list[float]:
        with torch.cuda.stream(self._stream):
            replay_us = self._warm_up()
            num_replays = max(MIN_REPLAYS, min(MAX_REPLAYS, round(LOOK_US / replay_us)))
            first_counted = 0
            if self._work.sustained_us > 0:
                num_replays = max(2 * MIN_REPLAYS, round(self._work.sustained_us / replay_us))
                first_counted = num_replays // 2
            # Keeps the GPU busy until the first timed replay waits in line.
            self._graph.replay()
            pairs = [_event_pair() for _ in range(num_replays)]
            for start, end in pairs:
                start.record()
                self._graph.replay()
                end.record()
            self._stream.synchronize()
        GraphTimer.busy_until_s = time.monotonic()
        return [_elapsed_us(start, end) / self._runs_per_replay for start, end in pairs[first_counted:]]

    def _warm_up(self) -> float:
        """Replays until two in a row agree, and the clocks are up; returns µs of one."""
        was_idle = time.monotonic() - GraphTimer.busy_until_s > IDLE_S
        least_us = RAMP_US if was_idle else 0.0
        previous_us = 0.0
        spent_us = 0.0
        replays = 0
        while replays < MAX_WARM_REPLAYS or spent_us < least_us:
            replays += 1
            start, end = _event_pair()
            start.record()
            self._graph.replay()
            end.record()
            self._stream.synchronize()
            replay_us = max(_elapsed_us(start, end), 0.1)
            spent_us += replay_us
            is_steady = abs(replay_us - previous_us) <= STEADY_FRACTION * replay_us
            if spent_us >= least_us and (is_steady or spent_us > MAX_WARM_US):
                return replay_us
            previous_us = replay_us
        return previous_us


class StreamTimer:
    """Runs that a graph cannot hold, such as copies from the host, one after the other on a stream."""

    def __init__(self, work: Work) -> None:
        self._work = work
        self._stream = _stream_after_current()

    def look(self) -> list[float]:
        calls = self._work.calls
        num_calls = max(MIN_REPLAYS, min(MAX_REPLAYS, round(LOOK_US / max(self._work.estimate_us, 0.1))))
        with torch.cuda.stream(self._stream):
            calls[0]()
            calls[-1]()
            # Else a short copy would be over before its end is asked for, and the CPU would be timed.
            torch.cuda._sleep(HOLD_CYCLES)
            pairs = [_event_pair() for _ in range(num_calls)]
            for i, (start, end) in enumerate(pairs):
                start.record()
                calls[i % len(calls)]()
                end.record()
            self._stream.synchronize()
        return [_elapsed_us(start, end) for start, end in pairs]


class RehearsalTimer:
    """Runs a call once, on a CPU, and reports the guess as its time: for the self-test, which measures nothing."""

    def __init__(self, work: Work) -> None:
        self._work = work
        self._has_run = False

    def look(self) -> list[float]:
        if not self._has_run:
            self._work.calls[0]()
            self._has_run = True
        return [self._work.estimate_us * self._work.calls_per_run] * MIN_REPLAYS


def timer_of(work: Work, device: torch.device) -> Timer:
    if device.type == "cpu":
        return RehearsalTimer(work)
    return GraphTimer(work) if work.captured else StreamTimer(work)


class Looks:
    """Two looks at a row, at different times, and more where they disagree."""

    def __init__(self, timer: Timer) -> None:
        self._timer = timer
        self._looks = [timer.look()]

    def finish(self) -> tuple[float, int, float]:
        """Median µs of the last two looks, the replays behind it, and how far the two lie apart (fraction)."""
        self._looks.append(self._timer.look())
        while self._apart() > REPEATABLE_FRACTION and len(self._looks) < MAX_LOOKS:
            self._looks.append(self._timer.look())
        runs = self._looks[-2] + self._looks[-1]
        return median(runs), len(runs), self._apart()

    def _apart(self) -> float:
        a, b = median(self._looks[-2]), median(self._looks[-1])
        return abs(a - b) / ((a + b) / 2)


def _abandon(graph: torch.cuda.CUDAGraph, pool: tuple[int, int]) -> None:
    """
    Ends a capture in which something failed, so that stream and memory can be used again; the failure is what matters.
    Of a capture that the driver broke off PyTorch never tells its allocator, and emptying its cache would fail ever after.
    """
    try:
        graph.capture_end()
    except RuntimeError:
        with contextlib.suppress(RuntimeError):
            torch._C._cuda_endAllocateToPool(torch.cuda.current_device(), pool)
            torch._C._cuda_releasePool(torch.cuda.current_device(), pool)


@functools.cache
def _measuring_stream() -> torch.cuda.Stream:
    """One for all rows: libraries keep a workspace for every stream."""
    return torch.cuda.Stream()


def _stream_after_current() -> torch.cuda.Stream:
    """The measuring stream, waiting for what the current one has prepared."""
    stream = _measuring_stream()
    stream.wait_stream(torch.cuda.current_stream())
    return stream


def _event_pair() -> tuple[torch.cuda.Event, torch.cuda.Event]:
    return torch.cuda.Event(enable_timing=True), torch.cuda.Event(enable_timing=True)


def _elapsed_us(start: torch.cuda.Event, end: torch.cuda.Event) -> float:
    return start.elapsed_time(end) * 1000.0
