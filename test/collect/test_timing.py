"""The timing of CUDA graphs on a GPU made of Python: what is captured, what is warmed up, what a run's time is."""

from __future__ import annotations

import contextlib
import importlib.util
import sys
import unittest
from collections.abc import Iterator
from pathlib import Path
from unittest import mock

COLLECT = Path(__file__).resolve().parents[2] / "bench_data" / "collect"
sys.path.insert(0, str(COLLECT))

HAS_TORCH = importlib.util.find_spec("torch") is not None
if HAS_TORCH:
    import timing
    from cases import Work


class FakeGpu:
    """Executes at once; a launch takes `launch_us`, and a replay the launches that were captured."""

    def __init__(self, launch_us: float) -> None:
        self.launch_us = launch_us
        self.now_us = 0.0
        self.eager: list[int] = []
        self.captured: list[int] | None = None
        self.replays = 0
        # Whether the driver breaks captures off, and the pool that the allocator still believes in.
        self.breaks_off = False
        self.allocating_to: tuple[int, int] | None = None

    def launch(self, number: int) -> None:
        if self.captured is None:
            self.eager.append(number)
        else:
            self.captured.append(number)


class FakeStream:
    def wait_stream(self, _other: object) -> None:
        pass

    def synchronize(self) -> None:
        pass


@contextlib.contextmanager
def on_stream(_stream: object) -> Iterator[None]:
    yield


def fake_cuda(gpu: FakeGpu) -> mock._patch:
    class Graph:
        launches: list[int]

        def capture_begin(self, pool: tuple[int, int]) -> None:
            gpu.captured = []
            gpu.allocating_to = pool

        def capture_end(self) -> None:
            assert gpu.captured is not None
            self.launches, gpu.captured = gpu.captured, None
            if gpu.breaks_off:
                raise RuntimeError("operation failed due to a previous error during capture")
            gpu.allocating_to = None
            gpu.graph = self  # type: ignore[attr-defined]

        def replay(self) -> None:
            gpu.replays += 1
            gpu.now_us += gpu.launch_us * len(self.launches)

    class Event:
        def __init__(self, enable_timing: bool) -> None:
            assert enable_timing

        def record(self) -> None:
            self.us = gpu.now_us

        def elapsed_time(self, end: Event) -> float:
            return (end.us - self.us) / 1000.0

    timing._measuring_stream.cache_clear()
    return mock.patch.multiple(
        timing.torch.cuda,
        Stream=FakeStream,
        current_stream=lambda: None,
        stream=on_stream,
        CUDAGraph=Graph,
        Event=Event,
        graph_pool_handle=lambda: (0, 7),
        current_device=lambda: 0,
    )


@unittest.skipUnless(HAS_TORCH, "PyTorch is not installed")
class GraphTimerTest(unittest.TestCase):
    def setUp(self) -> None:
        timing.GraphTimer.busy_until_s = float("inf")

    def tearDown(self) -> None:
        timing._measuring_stream.cache_clear()

    def work(self, gpu: FakeGpu, calls: int, estimate_us: float) -> Work:
        return Work([lambda number=number: gpu.launch(number) for number in range(calls)], estimate_us)

    def test_the_time_of_a_run_does_not_depend_on_how_many_a_graph_holds(self) -> None:
        for calls, estimate_us in ((3, 2.0), (200, 2.0), (2, 5000.0)):
            gpu = FakeGpu(7.0)
            with fake_cuda(gpu):
                runs_us = timing.GraphTimer(self.work(gpu, calls, estimate_us)).look()
            self.assertGreaterEqual(len(runs_us), timing.MIN_REPLAYS)
            for us in runs_us:
                self.assertAlmostEqual(us, 7.0)

    def test_a_graph_is_long_enough_and_uses_every_input_in_turn(self) -> None:
        gpu = FakeGpu(2.0)
        with fake_cuda(gpu):
            timing.GraphTimer(self.work(gpu, 3, 2.0))
        launches = gpu.graph.launches  # type: ignore[attr-defined]
        self.assertGreaterEqual(len(launches) * 2.0, timing.GRAPH_US)
        self.assertEqual(launches[:4], [0, 1, 2, 0])
        gpu = FakeGpu(5000.0)
        with fake_cuda(gpu):
            timing.GraphTimer(self.work(gpu, 2, 5000.0))
        self.assertEqual(gpu.graph.launches, [0, 1])  # type: ignore[attr-defined]

    def test_kernels_are_compiled_before_a_capture(self) -> None:
        gpu = FakeGpu(2.0)
        with fake_cuda(gpu):
            timing.GraphTimer(self.work(gpu, 3, 2.0))
        self.assertEqual(gpu.eager, [0, 0, 1, 1])

    def test_after_a_capture_that_was_broken_off_the_allocator_is_out_of_it_too(self) -> None:
        gpu = FakeGpu(2.0)

        def end(device: int, pool: tuple[int, int]) -> None:
            self.assertEqual((device, pool), (0, gpu.allocating_to))
            gpu.allocating_to = None

        def fail_in_captures() -> None:
            if gpu.captured is not None:
                gpu.breaks_off = True
                raise ValueError("not allowed while capturing")

        with (
            fake_cuda(gpu),
            mock.patch.multiple(timing.torch._C, _cuda_endAllocateToPool=end, _cuda_releasePool=lambda *_: None),
            self.assertRaisesRegex(ValueError, "not allowed"),
        ):
            timing.GraphTimer(Work([fail_in_captures], 2.0))
        self.assertIsNone(gpu.captured)
        self.assertIsNone(gpu.allocating_to)

    def test_clocks_that_may_have_fallen_get_time_to_rise(self) -> None:
        warm_us: dict[bool, float] = {}
        for was_idle in (False, True):
            gpu = FakeGpu(2.0)
            with fake_cuda(gpu):
                timer = timing.GraphTimer(self.work(gpu, 3, 2.0))
                timing.GraphTimer.busy_until_s = float("-inf") if was_idle else float("inf")
                timer._warm_up()
            warm_us[was_idle] = gpu.now_us
        self.assertGreaterEqual(warm_us[True], timing.RAMP_US)
        self.assertLess(warm_us[False], 4 * timing.GRAPH_US)

    def test_a_sustained_product_is_timed_when_it_has_run_for_half_of_its_time(self) -> None:
        class Throttled(FakeGpu):
            """Slower by a tenth when it has been busy for 300 ms."""

            @property
            def launch_us(self) -> float:
                return 1000.0 if self.now_us < 300_000.0 else 1100.0

            @launch_us.setter
            def launch_us(self, _us: float) -> None:
                pass

        for sustained_us, expected_us in ((0.0, 1000.0), (1e6, 1100.0)):
            gpu = Throttled(1000.0)
            work = self.work(gpu, 2, 1000.0)
            work.sustained_us = sustained_us
            with fake_cuda(gpu):
                runs_us = timing.GraphTimer(work).look()
            for us in runs_us:
                self.assertAlmostEqual(us, expected_us)
        self.assertGreaterEqual(gpu.now_us, 1e6)
        self.assertLess(gpu.now_us, 1.3e6)

    def test_a_long_step_is_not_repeated_more_than_needed(self) -> None:
        gpu = FakeGpu(400_000.0)
        with fake_cuda(gpu):
            timing.GraphTimer(self.work(gpu, 1, 400_000.0)).look()
        # One to warm up, one to keep the GPU busy, and those that count.
        self.assertEqual(gpu.replays, 2 + timing.MIN_REPLAYS)


if __name__ == "__main__":
    unittest.main()
