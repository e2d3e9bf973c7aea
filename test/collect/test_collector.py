"""The measuring loop with a suite of no kernels: order of looks, refusals, resuming. Needs PyTorch, no GPU."""

from __future__ import annotations

import csv
import errno
import importlib.util
import io
import json
import sys
import tempfile
import unittest
from collections.abc import Iterable
from itertools import pairwise
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from unittest import mock

COLLECT = Path(__file__).resolve().parents[2] / "bench_data" / "collect"
sys.path.insert(0, str(COLLECT))

HAS_TORCH = importlib.util.find_spec("torch") is not None
if HAS_TORCH:
    import torch

    import collector as collector_module
    from arguments import SUITE_NAMES, parse_arguments
    from budget import Budget
    from buffers import Pools, poisoned, relative_error
    from cases import Case, DeviceLost, KernelRefused, Work
    from collect import EXIT_USAGE, main, make_bench, make_collector, make_suites
    from collector import Collector
    from environment import SmiLog, why_no_cuda
    from kernels.prefill_attention import implementations
    from plan import PLANNED
    from self_test import rehearsal_shapes
    from shapes import load_shapes
    from sidecar import Sidecar
    from suites import experts, prefill
    from suites.prefill import kind_of
    from tables import FolderUnusable, Table, Tables
    from timing import MAX_LOOKS, Looks
    from workbench import Workbench, require_close

IDENTITY = {"device": {"name": "cpu"}, "versions": {}, "method": {}}


class CountingSuite:
    """Rows n = 0 … count - 1 of a part each, and whatever goes wrong with some of them."""

    name = "counting"

    def __init__(self, count: int, log: list[str], parts: tuple[str, ...] = ("even", "odd")) -> None:
        self.count, self.log, self.parts = count, log, parts
        self.wrong: dict[int, BaseException] = {}
        self.wrong_parts: set[str] = set()

    def cases(self) -> Iterable[Case]:
        for n in range(self.count):
            yield Case(self.name, "counting/cpu/data.csv", {"n": n}, 0, 0.001, {}, self.parts[n % len(self.parts)])

    def prepare(self, case: Case) -> None:
        self.log.append(f"prepare {case.part}")
        if case.part in self.wrong_parts:
            raise KernelRefused("wrong result")

    def build(self, case: Case) -> Work:
        n = int(case.key["n"])
        if n in self.wrong:
            raise self.wrong[n]
        return Work([lambda: self.log.append(f"run {n}")], 1.0 + n, {"kernel": "none"})

    def release(self) -> None:
        self.log.append("release")


class LoggedLooks:
    """Looks that say when."""

    def __init__(self, timer: Any, log: list[str], n: int) -> None:
        self._looks, self._log, self._n = Looks(timer), log, n
        log.append(f"first look {n}")

    def finish(self) -> tuple[float, int, float]:
        self._log.append(f"second look {self._n}")
        return self._looks.finish()


@unittest.skipUnless(HAS_TORCH, "PyTorch is not installed")
class CollectorTest(unittest.TestCase):
    def setUp(self) -> None:
        temporary = tempfile.TemporaryDirectory()
        self.addCleanup(temporary.cleanup)
        self.folder = Path(temporary.name)
        self.log: list[str] = []

    def collector(self, suite: CountingSuite, budget: Any = None) -> Any:
        device = torch.device("cpu")
        shapes = rehearsal_shapes(load_shapes())
        bench = Workbench(device, "cpu", shapes, Pools(device, 1 << 12, 1 << 10), 1, 1 << 20)
        sidecar = Sidecar(self.folder, IDENTITY, "abc")
        tables = Tables(self.folder, {})
        return Collector(bench, [suite], tables, sidecar, budget or Budget(0), SmiLog(lambda: None), "measured: cpu")

    def rows(self) -> list[int]:
        with (self.folder / "counting" / "cpu" / "data.csv").open(newline="") as stream:
            return [int(row["n"]) for row in csv.DictReader(stream)]

    def document(self) -> dict[str, Any]:
        document: dict[str, Any] = json.loads((self.folder / "collected.json").read_text())
        return document

    def test_a_row_is_looked_at_again_after_the_next_row_was_looked_at(self) -> None:
        numbers = iter(range(10))
        original = collector_module.Looks
        collector_module.Looks = lambda timer: LoggedLooks(timer, self.log, next(numbers))
        self.addCleanup(setattr, collector_module, "Looks", original)
        self.collector(CountingSuite(3, self.log, ("one",))).run([])
        looks = [entry for entry in self.log if "look" in entry]
        self.assertEqual(
            looks, ["first look 0", "first look 1", "second look 0", "first look 2", "second look 1", "second look 2"]
        )

    def test_every_part_is_checked_once_before_its_first_row(self) -> None:
        self.collector(CountingSuite(4, self.log)).run([])
        self.assertEqual([entry for entry in self.log if entry.startswith("prepare")], ["prepare even", "prepare odd"])
        self.assertLess(self.log.index("prepare odd"), self.log.index("run 1"))

    def test_an_interrupted_run_goes_on_and_measures_nothing_twice(self) -> None:
        class TwoRows(Budget):
            left = 2

            def has_room(self, suite: str, guess_s: float) -> bool:
                self.left -= 1
                return self.left >= 0

        first = self.collector(CountingSuite(5, self.log), TwoRows(0))
        self.assertEqual(first.run([]), "the budget")
        self.assertEqual(self.rows(), [0, 1])
        self.assertEqual(len(first.plan.missing()), 3)
        self.assertEqual(self.collector(CountingSuite(5, self.log)).run([]), "all rows are there")
        self.assertEqual(self.rows(), [0, 1, 2, 3, 4])
        self.assertEqual([session["rowsWritten"] for session in self.document()["sessions"]], [2, 3])

    def test_a_part_that_could_not_be_made_ready_in_time_is_left_for_the_next_run(self) -> None:
        class Short(Budget):
            def left_s(self) -> float:
                return collector_module.PREPARE_S + (1 if not self.told else -1)

            told = 0

            def record(self, suite: str, guess_s: float, seconds: float) -> None:
                self.told += 1

        first = self.collector(CountingSuite(7, self.log, ("a", "a", "a", "b", "a")), Short(0))
        self.assertEqual(first.run([]), "the budget")
        self.assertEqual([entry for entry in self.log if entry.startswith("prepare")], ["prepare a"])
        self.assertEqual(self.rows(), [0, 1, 2, 4, 5, 6])
        self.assertEqual(len(first.plan.missing()), 1)

    def test_a_stop_is_clean_between_rows(self) -> None:
        suite = CountingSuite(5, self.log)
        collector = self.collector(suite)
        build = suite.build

        def build_and_stop(case: Case) -> Work:
            collector.stop_requested = case.key["n"] == 2
            return build(case)

        suite.build = build_and_stop  # type: ignore[method-assign]
        self.assertEqual(collector.run([]), "a signal")
        self.assertEqual(self.rows(), [0, 1, 2])

    def test_a_row_that_cannot_run_is_noted_and_the_others_go_on(self) -> None:
        suite = CountingSuite(4, self.log)
        suite.wrong[1] = RuntimeError("out of something\nand a long story")
        self.collector(suite).run([])
        self.assertEqual(self.rows(), [0, 2, 3])
        self.assertEqual(self.document()["refused"], {"counting/cpu/data.csv?n=1": "RuntimeError: out of something"})
        self.assertEqual(self.collector(CountingSuite(4, self.log)).plan.missing(), [])

    def test_a_part_that_found_no_memory_is_tried_once_more_in_every_session(self) -> None:
        suite = CountingSuite(4, self.log)
        prepare = suite.prepare

        def prepare_without_memory(case: Case) -> None:
            prepare(case)
            if case.part == "odd":
                raise torch.OutOfMemoryError("CUDA out of memory.")

        suite.prepare = prepare_without_memory  # type: ignore[method-assign]
        self.assertEqual(self.collector(suite).run([]), "all rows are there")
        self.assertEqual(self.log.count("prepare odd"), 1)
        self.assertEqual(self.document()["refused"], {"counting odd": "OutOfMemoryError: CUDA out of memory."})
        self.collector(CountingSuite(4, self.log)).run([])
        self.assertEqual(self.rows(), [0, 2, 1, 3])
        self.assertEqual(self.document()["refused"], {})

    def test_a_full_disk_ends_the_session_refuses_no_row_and_is_what_is_told(self) -> None:
        suite = CountingSuite(4, self.log)
        collector = self.collector(suite)
        write = Table._write
        tries: list[int] = []

        def fill_up(table: Table, text: str) -> None:
            if text.startswith("1,"):
                collector.sidecar.write = full
                full()
            write(table, text)

        def full() -> None:
            tries.append(len(tries) + 1)
            raise FolderUnusable(f"the disk is full, try {tries[-1]}")

        with mock.patch.object(Table, "_write", fill_up), self.assertRaisesRegex(FolderUnusable, "try 1"):
            collector.run([])
        self.assertEqual(self.rows(), [0])
        self.assertEqual(self.document()["refused"], {})
        self.assertEqual(self.collector(CountingSuite(4, self.log)).run([]), "all rows are there")
        self.assertEqual(self.rows(), [0, 1, 2, 3])

    def test_a_row_that_fails_at_its_second_look_is_noted_and_not_the_one_after_it(self) -> None:
        suite = CountingSuite(4, self.log)
        collector = self.collector(suite)

        class FailsLater(Looks):
            def finish(self) -> tuple[float, int, float]:
                if collector._pending is None and len(self._looks) == 1 and self._looks[0][0] == 2.0:
                    raise RuntimeError("no memory for an event")
                return super().finish()

        with mock.patch.object(collector_module, "Looks", FailsLater):
            collector.run([])
        self.assertEqual(self.rows(), [0, 2, 3])
        self.assertEqual(list(self.document()["refused"]), ["counting/cpu/data.csv?n=1"])

    def test_rows_of_a_kernel_that_failed_its_check_are_not_written(self) -> None:
        suite = CountingSuite(4, self.log)
        suite.wrong_parts.add("odd")
        self.collector(suite).run([])
        self.assertEqual(self.rows(), [0, 2])
        self.assertEqual(self.document()["refused"], {"counting odd": "wrong result"})
        self.assertEqual(self.log.count("prepare odd"), 1)

    def test_a_lost_gpu_ends_the_session_and_only_the_row_under_way_and_the_one_before_are_lost(self) -> None:
        suite = CountingSuite(6, self.log)
        suite.wrong[4] = RuntimeError("illegal address")
        collector = self.collector(suite)

        def is_lost(what: str) -> None:
            raise DeviceLost(what)

        collector.bench.require_alive = is_lost
        with self.assertRaises(DeviceLost):
            collector.run([])
        self.assertEqual(self.rows(), [0, 1, 2])
        self.assertEqual(self.document()["sessions"][0]["stopped"], "a lost GPU")
        self.assertEqual(list(self.document()["refused"]), ["counting/cpu/data.csv?n=4"])

    def test_a_key_pressed_twice_loses_no_row_that_was_measured(self) -> None:
        suite = CountingSuite(4, self.log)
        suite.wrong[2] = KeyboardInterrupt()
        with self.assertRaises(KeyboardInterrupt):
            self.collector(suite).run([])
        self.assertEqual(self.rows(), [0, 1])
        self.assertEqual(self.document()["sessions"][0]["stopped"], "an error")

    def test_refusals_that_do_not_end_stop_the_session(self) -> None:
        self.addCleanup(setattr, collector_module, "MAX_REFUSED_IN_A_ROW", collector_module.MAX_REFUSED_IN_A_ROW)
        collector_module.MAX_REFUSED_IN_A_ROW = 3
        suite = CountingSuite(9, self.log)
        suite.wrong = {n: RuntimeError("no") for n in range(1, 9)}
        self.assertEqual(self.collector(suite).run([]), "3 refusals in a row")
        self.assertEqual(self.rows(), [0])


@unittest.skipUnless(HAS_TORCH, "PyTorch is not installed")
class PlanTest(unittest.TestCase):
    """What would be measured on an H200: planning touches no GPU."""

    @classmethod
    def setUpClass(cls) -> None:
        device = torch.device("cuda", 0)
        pools = Pools(device, 12 << 30, PLANNED["l2Bytes"])
        cls.bench = Workbench(device, "h200", load_shapes(), pools, PLANNED["numSms"], PLANNED["memoryBytes"])
        cls.cases = {suite.name: list(suite.cases()) for suite in make_suites(SUITE_NAMES, cls.bench)}

    def test_every_shape_of_every_model_is_there_before_sizes_are_made_denser(self) -> None:
        soon = {name: [case for case in cases if case.tier <= 1] for name, cases in self.cases.items()}
        matrices = {(case.key["k"], case.key["n"]) for case in soon["gemm"]}
        self.assertEqual(matrices, {(shape["k"], shape["n"]) for shape in self.bench.shapes.matrices})
        heads = {f"{s['numHeads']}-{s['numKvHeads']}-{s['headDim']}.csv" for s in self.bench.shapes.heads}
        for name in ("decode", "prefill"):
            self.assertEqual({Path(case.table).name for case in soon[name]}, heads)
        experts = {(case.key["hidden_size"], case.key["intermediate_size"]) for case in soon["experts"]}
        self.assertEqual(experts, {(s["hiddenSize"], s["intermediateSize"]) for s in self.bench.shapes.experts})
        self.assertEqual({case.tier for case in self.cases["whole_step"]}, {0})

    def test_tables_lie_under_the_id_in_lower_case_however_it_is_given(self) -> None:
        for given in ("RTX9090", "rtx9090"):
            options = parse_arguments(["--out", "x", "--gpu", given])
            self.assertEqual(make_bench(options, PLANNED).gpu, "rtx9090")

    def test_a_gpu_that_is_here_is_the_one_that_is_planned_for(self) -> None:
        h100 = SimpleNamespace(
            name="NVIDIA H100 80GB HBM3", major=9, minor=0, multi_processor_count=132, total_memory=85 << 30,
            L2_cache_size=50 << 20, uuid="1b2c",
        )  # fmt: skip
        with (
            mock.patch.multiple(
                torch.cuda, is_available=lambda: True, device_count=lambda: 1, get_device_properties=lambda _index: h100
            ),
            mock.patch("environment.smi_card", return_value=None) as asked,
            mock.patch("sys.stdout", new_callable=io.StringIO) as said,
        ):
            self.assertEqual(main(["--list", "--suite", "copies"]), 0)
        self.assertIn(
            "on the NVIDIA H100 80GB HBM3 here, tables of h100; seconds as guessed for an NVIDIA H200", said.getvalue()
        )
        asked.assert_called_with("1b2c")

    def test_a_folder_goes_on_under_the_name_that_its_tables_have(self) -> None:
        with (
            tempfile.TemporaryDirectory() as name,
            mock.patch.multiple("environment", smi_card=lambda _uuid: None, cuda_uuid=lambda _index: None),
        ):
            for given, expected in ((["--gpu", "RTX9090"], "rtx9090"), ([], "rtx9090")):
                options = parse_arguments(["--out", name, "--suite", "copies", *given])
                collector = make_collector(options, PLANNED, Path(name))
                self.assertEqual(collector.bench.gpu, expected)
                collector.sidecar.write()

    def test_a_device_that_is_not_there_is_a_wrong_argument(self) -> None:
        with (
            mock.patch.multiple(torch.cuda, is_available=lambda: True, device_count=lambda: 2),
            mock.patch("collect.has_triton", lambda: True),
            mock.patch("sys.stderr", new_callable=io.StringIO) as said,
        ):
            self.assertEqual(main(["--out", "x", "--device", "2"]), EXIT_USAGE)
        self.assertIn("--device: got 2; CUDA devices here: 0 to 1", said.getvalue())

    def test_wrong_arguments_are_told_in_a_line_and_touch_nothing(self) -> None:
        with tempfile.TemporaryDirectory() as name:
            file, taken = Path(name) / "file", Path(name) / "taken"
            file.write_text("mine")
            taken.mkdir()
            Sidecar(taken, {"device": {"name": "NVIDIA L4"}, "versions": {}, "method": {}}, "abc").write()
            there = (taken / "collected.json").read_text()
            for arguments, says in (
                (["--out", str(file)], "is a file; give a folder"),
                (["--out", name, "--budget-s", "-1"], "--budget-s: got -1; must be seconds, such as 540, 540s, 9m"),
                (["--out", name, "--budget-s", "nan"], "--budget-s: got nan"),
                (["--out", name, "--budget-s", "9x"], "--budget-s: got 9x"),
                (["--out", str(taken), "--list"], "the device in collected.json has no numSms, memoryBytes"),
                (["--out", str(taken), "--self-test"], "measured with another device"),
                (["--out", f"{name}/new", "--self-test", "--gpu", "L4"], "--gpu: the self-test's tables are no GPU's"),
                (["--out", f"{name}/new", "--self-test", "--list"], "leave one of them out"),
            ):
                with (
                    mock.patch.dict("os.environ"),
                    mock.patch("torch.cuda.is_available", lambda: False),
                    mock.patch("sys.stderr", new_callable=io.StringIO) as said,
                ):
                    try:
                        status: Any = main(arguments)
                    except SystemExit as stopped:
                        status = stopped.code
                self.assertEqual(status, EXIT_USAGE, arguments)
                self.assertRegex(said.getvalue(), says)
            self.assertEqual(file.read_text(), "mine")
            self.assertEqual((taken / "collected.json").read_text(), there)

    def test_a_disk_that_is_full_from_the_start_is_told_in_a_line(self) -> None:
        full = OSError(errno.ENOSPC, "No space left on device")
        with (
            tempfile.TemporaryDirectory() as name,
            mock.patch.dict("os.environ"),
            mock.patch("os.fsync", side_effect=full),
            mock.patch("sys.stderr", new_callable=io.StringIO) as said,
        ):
            self.assertEqual(main(["--out", f"{name}/new", "--self-test", "--suite", "copies"]), EXIT_USAGE)
        self.assertRegex(
            said.getvalue(), r"^[^\n]*collected\.json: No space left on device; [^\n]*same command again\n$"
        )

    def test_without_cuda_it_says_whether_this_pytorch_could_have_it(self) -> None:
        with mock.patch.multiple(torch.version, cuda=None, hip=None):
            self.assertIn("is built without CUDA: install one", why_no_cuda())
        with mock.patch.multiple(torch.version, cuda="12.8"), mock.patch.dict("os.environ", CUDA_VISIBLE_DEVICES=""):
            self.assertRegex(why_no_cuda(), "finds no GPU: see what nvidia-smi says; CUDA_VISIBLE_DEVICES is ''")

    def test_without_a_compiler_nothing_is_measured_and_no_row_is_refused(self) -> None:
        def no_compiler(*_: Any) -> None:
            raise RuntimeError("Failed to find C compiler.")

        with (
            tempfile.TemporaryDirectory() as name,
            mock.patch.multiple(
                torch.cuda, is_available=lambda: True, device_count=lambda: 1, set_device=lambda _index: None
            ),
            mock.patch("collect.has_triton", lambda: True),
            mock.patch("environment.describe_device", lambda *_: PLANNED),
            mock.patch.multiple(torch, zeros=lambda *_, **__: None, empty=lambda *_, **__: None),
            mock.patch("kernels.elementwise.silu_mul", no_compiler),
            mock.patch("sys.stderr", new_callable=io.StringIO) as said,
        ):
            self.assertEqual(main(["--out", f"{name}/new"]), EXIT_USAGE)
            self.assertFalse((Path(name) / "new").exists())
        self.assertIn("Failed to find C compiler.\nit needs a C compiler", said.getvalue())

    def test_an_implementation_that_did_not_come_back_gets_one_more_try(self) -> None:
        device = torch.device("cpu")
        pools = Pools(device, 4 << 20, 4096)
        bench = Workbench(device, "cpu", rehearsal_shapes(load_shapes()), pools, 1, 1 << 24)
        kind = kind_of(bench, 4, 0)
        tries: list[str] = []

        def killed(*_: Any) -> float:
            tries.append("killed")
            raise KeyboardInterrupt

        with mock.patch.object(prefill, "_error_of", killed):
            for _ in range(2):
                self.assertRaises(KeyboardInterrupt, prefill.right_implementations, bench, 16, kind)
        with mock.patch.object(prefill, "_error_of", lambda *_: 0.0):
            right = prefill.right_implementations(bench, 16, kind)
        everything = implementations(16, device, with_plans=False)
        self.assertEqual([*right], [*everything][1:])
        self.assertEqual(len(tries), 2)

    def test_no_product_is_planned_that_no_step_asks_for(self) -> None:
        shapes = {(shape["k"], shape["n"]): shape for shape in self.bench.shapes.matrices}
        kinds: set[tuple[bool, bool]] = set()
        for case in self.cases["gemm"]:
            shape = shapes[(case.key["k"], case.key["n"])]
            kinds.add((shape["isQuantized"], shape["isSampledOnly"]))
            if case.key["dtype"] == "fp8":
                self.assertTrue(shape["isQuantized"], case.key)
            if shape["isSampledOnly"]:
                self.assertLessEqual(int(case.key["m"]), 1024, case.key)
        # Layers' matrices, routers, and LM heads.
        self.assertEqual(kinds, {(True, False), (False, False), (False, True)})

    def test_the_first_tier_has_decode_batches_that_no_split_is_left_in(self) -> None:
        first = [case for case in self.cases["decode"] if case.tier == 0]
        programs = max(int(case.key["batch_size"]) * case.shape["numKvHeads"] for case in first)
        self.assertGreater(programs, 2048)

    def test_long_runs_of_a_product_have_a_row_in_bursts_to_be_compared_with(self) -> None:
        sustained = [case for case in self.cases["gemm_variants"] if case.key["variant"] == "sustained"]
        self.assertEqual([case.key["dtype"] for case in sustained], ["bf16", "fp8"])
        names = ("m", "k", "n", "dtype")
        bursts = {tuple(case.key[name] for name in names) for case in self.cases["gemm"] if case.tier == 0}
        self.assertTrue(all(tuple(case.key[name] for name in names) in bursts for case in sustained))
        self.assertLess(sum(case.guess_s for case in sustained), 6)

    def test_no_row_is_planned_twice(self) -> None:
        identities = [case.identity() for cases in self.cases.values() for case in cases]
        self.assertEqual(len(identities), len(set(identities)))

    def test_prompts_of_one_token_are_measured_behind_contexts_only(self) -> None:
        single = [case for case in self.cases["prefill"] if case.key["seq_len"] == 1]
        self.assertGreaterEqual(len(single), 4 * len(self.bench.shapes.heads))
        self.assertTrue(all(int(case.key["context_len"]) > 0 for case in single))

    def test_short_prompts_do_not_wait_for_plans(self) -> None:
        with_plans, without = (implementations(128, self.bench.device, with_plans=plans) for plans in (True, False))
        self.assertTrue(any(name.startswith("cudnn") for name in with_plans))
        self.assertFalse(any(name.startswith("cudnn") for name in without))
        self.assertIsNone(kind_of(self.bench, 512, 4096).num_plans)
        self.assertEqual(kind_of(self.bench, 2048, 4096).num_plans, 2)


@unittest.skipUnless(HAS_TORCH, "PyTorch is not installed")
class PreparedTest(unittest.TestCase):
    """What has to be compiled and chosen before the first row of a part, while the time for it is reserved."""

    def setUp(self) -> None:
        # Kernels' references: Triton would need its interpreter, or a GPU.
        for name in ("decode_attention", "elementwise", "experts", "prefill_attention"):
            without = mock.patch(f"kernels.{name}.HAS_TRITON", False)
            without.start()
            self.addCleanup(without.stop)

    def bench(self) -> Any:
        device = torch.device("cpu")
        return Workbench(device, "cpu", rehearsal_shapes(load_shapes()), Pools(device, 4 << 20, 4096), 1, 1 << 24)

    def test_attention_and_whole_steps_choose_nothing_while_a_row_is_built(self) -> None:
        for suite in make_suites(["prefill", "whole_step"], self.bench()):
            for case in suite.cases():
                # As after another session: nothing is known.
                suite.bench.tuned.clear()
                suite.prepare(case)
                chosen = set(suite.bench.tuned)
                suite.build(case)
                self.assertEqual(set(suite.bench.tuned), chosen, case.identity())

    def test_experts_choose_their_tiles_for_the_blocks_that_a_row_has(self) -> None:
        asked: list[int] = []
        original = experts.config_of

        def config_of(bench: Any, rows: int, dtype: str) -> Any:
            asked.append(rows)
            return original(bench, rows, dtype)

        with mock.patch.object(experts, "config_of", config_of):
            for suite in make_suites(["experts", "whole_step"], self.bench()):
                for case in suite.cases():
                    asked.clear()
                    suite.prepare(case)
                    prepared, asked[:] = set(asked), []
                    suite.build(case)
                    self.assertLessEqual(set(asked), prepared, case.identity())

    def test_rows_that_need_other_kernels_are_of_another_part(self) -> None:
        device = torch.device("cuda", 0)
        pools = Pools(device, 12 << 30, PLANNED["l2Bytes"])
        bench = Workbench(device, "h200", load_shapes(), pools, PLANNED["numSms"], PLANNED["memoryBytes"])
        parts = {suite.name: {case.part for case in suite.cases()} for suite in make_suites(SUITE_NAMES, bench)}
        self.assertEqual(
            {part for part in parts["experts"] if part.startswith("fp8")},
            {f"fp8, blocks of {rows} rows" for rows in (16, 32, 64, 128)},
        )
        self.assertEqual(len([part for part in parts["prefill"] if part.startswith("128, ")]), 4)
        self.assertIn("meta-llama/Llama-3.1-8B", parts["whole_step"])
        self.assertIn("Qwen/Qwen3-30B-A3B, behind a context, blocks of 128 rows", parts["whole_step"])


@unittest.skipUnless(HAS_TORCH, "PyTorch is not installed")
class LooksTest(unittest.TestCase):
    def looks(self, *medians: float) -> tuple[tuple[float, int, float], int]:
        """What comes of looks with these medians, and how many were taken."""

        class Timer:
            taken = 0

            def look(self) -> list[float]:
                self.taken += 1
                return [medians[self.taken - 1]] * 3

        timer = Timer()
        return Looks(timer).finish(), timer.taken

    def test_two_looks_that_agree_are_enough(self) -> None:
        (latency_us, runs, apart), taken = self.looks(100.0, 102.0)
        self.assertEqual((latency_us, runs, taken), (101.0, 6, 2))
        self.assertAlmostEqual(apart, 2 / 101)

    def test_looks_go_on_until_two_in_a_row_agree(self) -> None:
        (latency_us, _, apart), taken = self.looks(150.0, 100.0, 101.0)
        self.assertEqual((latency_us, taken), (100.5, 3))
        self.assertLess(apart, 0.05)

    def test_looks_that_never_agree_are_marked(self) -> None:
        (_, _, apart), taken = self.looks(100.0, 150.0, 100.0, 150.0)
        self.assertEqual(taken, MAX_LOOKS)
        self.assertAlmostEqual(apart, 0.4)


@unittest.skipUnless(HAS_TORCH, "PyTorch is not installed")
class CheckTest(unittest.TestCase):
    def test_an_output_with_a_hole_or_another_number_is_refused(self) -> None:
        reference = torch.randn(4, 8, dtype=torch.float64)
        require_close("same", reference.float(), reference)
        hole = poisoned((4, 8), torch.device("cpu"), torch.float32)
        hole[:3] = reference[:3].float()
        with self.assertRaises(KernelRefused):
            require_close("hole", hole, reference)
        with self.assertRaises(KernelRefused):
            require_close("other", reference.float() * 1.02, reference)
        self.assertAlmostEqual(relative_error(reference * 1.02, reference), 0.02)

    def test_inputs_in_rotation_do_not_overlap_and_pass_the_cache(self) -> None:
        pools = Pools(torch.device("cpu"), 1 << 20, 1 << 12)
        views = [pools.take((64, 8), torch.float32) for _ in range(pools.rotation(64 * 8 * 4))]
        places = sorted((view.data_ptr(), view.data_ptr() + view.numel() * 4) for view in views)
        self.assertTrue(all(end <= start for (_, end), (start, _) in pairwise(places)))
        self.assertGreater(sum(end - start for start, end in places), 2 * (1 << 12))


if __name__ == "__main__":
    unittest.main()
