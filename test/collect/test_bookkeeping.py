"""Budget, order, tables, sidecar and names: everything of the collector that needs neither PyTorch nor a GPU."""

from __future__ import annotations

import errno
import json
import os
import shutil
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path
from typing import Any
from unittest import mock

COLLECT = Path(__file__).resolve().parents[2] / "bench_data" / "collect"
sys.path.insert(0, str(COLLECT))

from budget import RESERVE_S, Budget  # noqa: E402 - found on the path set above
from cases import Case, in_order_of_value  # noqa: E402
from environment import SmiLog, _known_fields, _value, query_smi, smi_card  # noqa: E402
from shapes import gpu_folder, load_shapes  # noqa: E402
from plan import PLANNED, budget_summary, tier_summary  # noqa: E402
from sidecar import FolderTaken, Sidecar, planned_device, program_hash  # noqa: E402
from tables import FolderUnusable, StepFile, Table, Tables, median, write_json  # noqa: E402

IDENTITY = {"device": {"name": "A"}, "versions": {"torch": "2"}, "method": {"lookUs": 1}}
PROGRAM = "abc"


class Clock:
    """Seconds that a test sets."""

    def __init__(self) -> None:
        self.now_s = 100.0

    def __call__(self) -> float:
        return self.now_s


class InFolder(unittest.TestCase):
    """A test with a folder of its own."""

    def setUp(self) -> None:
        temporary = tempfile.TemporaryDirectory()
        self.addCleanup(temporary.cleanup)
        self.folder = Path(temporary.name)


class BudgetTest(unittest.TestCase):
    def test_a_row_that_would_end_after_the_deadline_has_no_room(self) -> None:
        clock = Clock()
        budget = Budget(60, clock)
        self.assertTrue(budget.has_room("gemm", 60 - RESERVE_S))
        clock.now_s += 1
        self.assertFalse(budget.has_room("gemm", 60 - RESERVE_S))

    def test_without_a_budget_there_is_always_room(self) -> None:
        self.assertTrue(Budget(0, Clock()).has_room("gemm", 1e9))

    def test_a_suite_that_takes_longer_than_guessed_is_expected_to_go_on_so(self) -> None:
        budget = Budget(100, Clock())
        budget.record("gemm", 0.5, 1.0)
        self.assertAlmostEqual(budget.expected_s("gemm", 3.0), 6.0)
        self.assertAlmostEqual(budget.expected_s("decode", 3.0), 3.0)
        self.assertAlmostEqual(budget.remaining_s([("gemm", 1.0), ("decode", 1.0)]), 3.0)

    def test_a_row_that_waited_for_a_compiler_makes_no_other_row_expected_to(self) -> None:
        budget = Budget(100, Clock())
        for seconds in (1.0, 1.0, 25.0, 1.0, 1.0):
            budget.record("experts", 1.0, seconds)
        self.assertAlmostEqual(budget.expected_s("experts", 1.0), 1.0)

    def test_what_happened_before_the_budget_was_made_counts(self) -> None:
        self.assertEqual(Budget(100, Clock(), start_s=90.0).left_s(), 90.0)


class OrderTest(unittest.TestCase):
    def test_tiers_come_first_then_suites_then_the_order_of_the_suite(self) -> None:
        def case(suite: str, tier: int, number: int) -> Case:
            return Case(suite, f"{suite}.csv", {"n": number}, tier, 1.0)

        listed = [case("b", 1, 1), case("b", 0, 2), case("b", 0, 1), case("a", 1, 1), case("a", 0, 9)]
        ordered = [(c.tier, c.suite, c.key["n"]) for c in in_order_of_value(listed, ["a", "b"])]
        self.assertEqual(ordered, [(0, "a", 9), (0, "b", 2), (0, "b", 1), (1, "a", 1), (1, "b", 1)])


class TableTest(InFolder):
    def test_a_row_is_on_the_disk_when_append_returns_and_is_found_again(self) -> None:
        file = self.folder / "gemm" / "h200" / "data.csv"
        Table(file).append({"m": 8, "dtype": "bf16", "latency_us": 12.3456789, "kernel": "x"})
        self.assertEqual(file.read_text(), "m,dtype,latency_us,kernel\n8,bf16,12.346,x\n")
        again = Table(file)
        self.assertTrue(again.holds({"m": 8, "dtype": "bf16"}))
        self.assertFalse(again.holds({"m": 8, "dtype": "fp8"}))

    def test_a_line_that_a_killed_run_left_half_written_is_cut_off_and_measured_again(self) -> None:
        file = self.folder / "data.csv"
        file.write_text("m,latency_us\n8,12.3\n16,4")
        table = Table(file)
        self.assertTrue(table.holds({"m": 8}))
        self.assertFalse(table.holds({"m": 16}))
        table.append({"m": 16, "latency_us": 45.6})
        self.assertEqual(file.read_text(), "m,latency_us\n8,12.3\n16,45.6\n")

    def test_a_header_that_was_cut_off_is_written_anew(self) -> None:
        file = self.folder / "data.csv"
        file.write_text("m,late")
        Table(file).append({"m": 1, "latency_us": 2.0})
        self.assertEqual(file.read_text(), "m,latency_us\n1,2\n")

    def test_rows_are_found_after_an_append_too(self) -> None:
        table = Table(self.folder / "data.csv")
        self.assertFalse(table.holds({"m": 1}))
        table.append({"m": 1, "latency_us": 2.0})
        self.assertTrue(table.holds({"m": 1}))

    def test_cells_follow_the_columns_of_the_file_and_others_are_refused(self) -> None:
        table = Table(self.folder / "data.csv")
        table.append({"m": 1, "latency_us": 2.0})
        table.append({"latency_us": 3.0, "m": 2})
        self.assertIn("\n2,3\n", table.file.read_text())
        with self.assertRaisesRegex(FolderUnusable, "the columns other: another version wrote it"):
            table.append({"m": 3, "latency_us": 4.0, "other": 1})

    def test_a_table_of_other_columns_is_found_out_before_anything_is_measured(self) -> None:
        file = self.folder / "data.csv"
        file.write_text("tokens,latency_us\n1,2\n")
        with self.assertRaisesRegex(FolderUnusable, "give another --out"):
            Table(file).holds({"m": 1})

    def test_reading_a_file_that_somebody_is_writing_leaves_it_as_it_is(self) -> None:
        file = self.folder / "data.csv"
        file.write_text("m,latency_us\n8,12.3\n16,4")
        self.assertFalse(Table(file).holds({"m": 16}))
        self.assertEqual(file.read_text(), "m,latency_us\n8,12.3\n16,4")

    def test_a_full_disk_is_told_in_a_line_and_what_was_written_stays(self) -> None:
        full = OSError(errno.ENOSPC, "No space left on device")
        file = self.folder / "collected.json"
        write_json(file, {"a": 1})
        table = Table(self.folder / "data.csv")
        table.append({"m": 1, "latency_us": 2.0})
        with (
            mock.patch("os.fsync", side_effect=full),
            self.assertRaisesRegex(FolderUnusable, "No space left on device; "),
        ):
            write_json(file, {"a": 2})
        with mock.patch.object(Path, "open", side_effect=full), self.assertRaises(FolderUnusable) as told:
            table.append({"m": 2, "latency_us": 3.0})
        self.assertNotIn("\n", str(told.exception))
        self.assertEqual(json.loads(file.read_text()), {"a": 1})
        self.assertEqual(sorted(entry.name for entry in self.folder.iterdir()), ["collected.json", "data.csv"])
        table.append({"m": 2, "latency_us": 3.0})
        self.assertEqual(table.file.read_text(), "m,latency_us\n1,2\n2,3\n")

    def test_a_cell_that_would_need_quotes_is_refused(self) -> None:
        with self.assertRaises(ValueError):
            Table(self.folder / "data.csv").append({"kernel": "a,b"})

    def test_numbers_have_no_exponent(self) -> None:
        file = self.folder / "data.csv"
        Table(file).append({"a": 1234567.89, "b": 0.0000123, "c": 123456.0, "d": 0.0})
        self.assertEqual(file.read_text().splitlines()[1], "1234567.9,0.000012,123456.0,0.000000")

    def test_steps_are_a_whole_document_after_each(self) -> None:
        file = self.folder / "whole_step" / "h200.json"
        steps = StepFile(file, {"device": "A"})
        steps.append({"model": "m", "batch": "decode:1@5", "latencyUs": 1.0})
        self.assertEqual(json.loads(file.read_text())["steps"][0]["latencyUs"], 1.0)
        self.assertTrue(StepFile(file, {}).holds({"model": "m", "batch": "decode:1@5"}))
        self.assertFalse(StepFile(file, {}).holds({"model": "m", "batch": "decode:2@5"}))

    def test_the_table_of_a_path_is_opened_once(self) -> None:
        tables = Tables(self.folder, {})
        self.assertIs(tables.table("a/data.csv"), tables.table("a/data.csv"))

    def test_the_median_of_an_even_number_lies_between_the_middle_two(self) -> None:
        self.assertEqual(median([4.0, 1.0, 3.0, 2.0]), 2.5)
        self.assertEqual(median([9.0, 1.0, 2.0]), 2.0)
        with self.assertRaises(ValueError):
            median([])


class SidecarTest(InFolder):
    def test_a_folder_goes_on_with_the_same_device_and_program(self) -> None:
        first = Sidecar(self.folder, IDENTITY, PROGRAM)
        first.start_session(["--out", "x"])
        first.refused["fp8"] = "no"
        first.write()
        again = Sidecar(self.folder, IDENTITY, PROGRAM)
        self.assertEqual(again.refused, {"fp8": "no"})
        again.start_session([])
        self.assertEqual(len(again.document["sessions"]), 2)

    def test_what_an_older_program_refused_is_tried_again(self) -> None:
        first = Sidecar(self.folder, IDENTITY, PROGRAM)
        first.refused["fp8"] = "no"
        first.write()
        self.assertEqual(Sidecar(self.folder, IDENTITY, "mended").refused, {})

    def test_what_found_no_memory_is_tried_again_in_the_next_session_and_nothing_else_is(self) -> None:
        first = Sidecar(self.folder, IDENTITY, PROGRAM)
        no_memory = "OutOfMemoryError: CUDA out of memory."
        first.refused.update({"whole_step m": no_memory, "a": f"no implementation runs here: {{'t': '{no_memory}'}}"})
        first.refused["b"] = "relative error 0.3, allowed 0.01"
        first.tuned["prefill"] = {"errors": {"cudnn": no_memory, "flash": 0.002, "triton": "CompilationError: no"}}
        first.tuned["decode"] = {"winner": "c", "failed": {"d": no_memory}}
        first.tuned["experts"] = {"winner": "c", "failed": {"d": "OutOfResources: shared memory"}}
        first.write()
        again = Sidecar(self.folder, IDENTITY, PROGRAM)
        self.assertEqual(list(again.refused), ["b"])
        self.assertEqual(again.tuned["prefill"], {"errors": {"flash": 0.002, "triton": "CompilationError: no"}})
        self.assertEqual(sorted(again.tuned), ["experts", "prefill"])

    def test_a_sidecar_or_steps_that_were_cut_are_told_in_a_line(self) -> None:
        Sidecar(self.folder, IDENTITY, PROGRAM).write()
        file = self.folder / "collected.json"
        for text in (file.read_text()[:40], "[]", json.dumps({"schema": "roofserve.collected/1"}), "\xff"):
            file.write_text(text, encoding="latin-1")
            with self.assertRaises(FolderUnusable) as told:
                Sidecar(self.folder, IDENTITY, PROGRAM)
            self.assertRegex(str(told.exception), r"^[^\n]*collected\.json is cut or damaged: [^\n]*another --out$")
        steps = self.folder / "whole_step.json"
        steps.write_text('{"schema": "roofserve.wholeSteps/1", "st')
        with self.assertRaisesRegex(FolderUnusable, "whole_step.json is cut"):
            StepFile(steps, {})

    def test_another_device_version_or_method_is_refused_by_name(self) -> None:
        Sidecar(self.folder, IDENTITY, PROGRAM).write()
        for part, value in (("device", {"name": "B"}), ("versions", {"torch": "3"}), ("method", {})):
            with self.assertRaisesRegex(FolderTaken, f"another {part}"):
                Sidecar(self.folder, {**IDENTITY, part: value}, PROGRAM)

    def test_another_machine_of_the_same_kind_goes_on_and_plans_the_same_rows(self) -> None:
        h200 = {"name": "H200", "numSms": 132, "memoryBytes": 150_000_000_000, "driver": "580.159.03"}
        identity = {**IDENTITY, "device": h200, "versions": {"python": "3.12.3", "torch": "2"}}
        Sidecar(self.folder, identity, PROGRAM).write()
        there = {**h200, "memoryBytes": 149_900_000_000, "driver": "580.159.04"}
        again = Sidecar(
            self.folder, {**identity, "device": there, "versions": {"python": "3.12.4", "torch": "2"}}, PROGRAM
        )
        self.assertEqual(again.document["device"], h200)
        session = again.start_session([])
        self.assertEqual((session["device"], session["versions"]["python"]), (there, "3.12.4"))
        self.assertEqual(planned_device(self.folder, there), h200)
        Sidecar(self.folder, {**identity, "device": {**h200, "driver": None}}, PROGRAM)
        for other in ({"driver": "590.1"}, {"memoryBytes": 80_000_000_000}, {"name": "H100"}, {"numSms": 114}):
            with self.assertRaisesRegex(FolderTaken, "another device"):
                Sidecar(self.folder, {**identity, "device": {**h200, **other}}, PROGRAM)
            self.assertEqual(planned_device(self.folder, {**h200, **other}), {**h200, **other})

    def test_what_did_not_run_with_another_program_is_tried_again_and_measured_errors_stay(self) -> None:
        first = Sidecar(self.folder, IDENTITY, PROGRAM)
        first.tuned["prefill"] = {"errors": {"a": 0.002, "b": "did not come back"}}
        first.tuned["decode"] = {"winner": "c", "failed": {"d": "too large"}}
        first.write()
        self.assertEqual(Sidecar(self.folder, IDENTITY, PROGRAM).tuned, first.tuned)
        mended = Sidecar(self.folder, IDENTITY, "mended")
        self.assertEqual(mended.tuned, {**first.tuned, "prefill": {"errors": {"a": 0.002}}})

    def test_tables_of_unknown_origin_are_refused(self) -> None:
        (self.folder / "data.csv").write_text("m\n")
        with self.assertRaisesRegex(FolderTaken, "give another --out"):
            Sidecar(self.folder, IDENTITY, PROGRAM)

    def test_the_program_hash_changes_with_any_source(self) -> None:
        (self.folder / "shapes.json").write_text("{}")
        (self.folder / "a.py").write_text("1")
        before = program_hash(self.folder)
        self.assertEqual(before, program_hash(self.folder))
        (self.folder / "a.py").write_text("2")
        self.assertNotEqual(before, program_hash(self.folder))


class EnvironmentTest(InFolder):
    def only_on_path(self, script: str | None) -> None:
        """Leaves nothing on the path but an nvidia-smi that is this script, or none."""
        if script is not None:
            program = self.folder / "nvidia-smi"
            program.write_text(f"#!/bin/sh\n{script}\n")
            program.chmod(0o755)
        path, os.environ["PATH"] = os.environ["PATH"], str(self.folder)
        self.addCleanup(os.environ.__setitem__, "PATH", path)
        _known_fields.cache_clear()
        self.addCleanup(_known_fields.cache_clear)

    def test_a_field_that_nvidia_smi_refuses_does_not_cost_the_others(self) -> None:
        self.only_on_path(
            'case "$2" in *new*,*|*,*new*|*=new) echo unknown field; exit 2;; *,*) exit 2;; *) echo 1980;; esac'
        )
        seen = query_smi({"clocks.sm": "smClockMhz", "new": "newThing"}, "GPU-1")
        self.assertEqual(seen, {"smClockMhz": 1980.0, "newThing": None})

    def test_without_nvidia_smi_there_is_nothing_to_tell_and_nothing_fails(self) -> None:
        self.only_on_path(None)
        self.assertIsNone(query_smi({"clocks.sm": "smClockMhz"}, "GPU-1"))
        self.assertIsNone(smi_card("1b2c"))
        log = SmiLog(lambda: None)
        log.start()
        self.assertIsNone(log.stop())

    def test_the_card_is_found_by_its_uuid_and_a_slice_by_the_card_it_is_part_of(self) -> None:
        listed = [
            "GPU 0: NVIDIA H100 (UUID: GPU-aaaa-0)",
            "  MIG 1g.10gb     Device  0: (UUID: MIG-bbbb-1)",
            "GPU 1: NVIDIA H200 (UUID: GPU-cccc-2)",
            "  MIG 1g.10gb     Device  0: (UUID: MIG-GPU-cccc-2/7/0)",
        ]
        self.only_on_path("".join(f"echo '{line}'\n" for line in listed))
        # As PyTorch writes a UUID, and as everybody else does.
        self.assertEqual(smi_card("cccc-2"), "GPU-cccc-2")
        self.assertEqual(smi_card("GPU-cccc-2"), "GPU-cccc-2")
        self.assertEqual(smi_card("MIG-bbbb-1"), "GPU-aaaa-0")
        self.assertEqual(smi_card("bbbb-1"), "GPU-aaaa-0")
        self.assertIsNone(smi_card("dddd-9"))
        self.assertIsNone(smi_card(None))

    def test_nvidia_smi_is_asked_about_that_card_and_about_none_where_it_is_not_known(self) -> None:
        self.only_on_path('case "$1" in --id=GPU-cccc-2) echo 1980;; *) exit 6;; esac')
        self.assertEqual(query_smi({"clocks.sm": "smClockMhz"}, "GPU-cccc-2"), {"smClockMhz": 1980.0})
        self.assertIsNone(query_smi({"clocks.sm": "smClockMhz"}, None))

    def test_what_was_seen_has_a_range_between_before_and_after(self) -> None:
        samples = iter(
            [{"smClockMhz": 345.0, "throttleReasons": "0x0"}, {"smClockMhz": 1980.0, "throttleReasons": "0x4"}]
        )
        log = SmiLog(lambda: next(samples))
        log.start()
        seen = log.stop()
        assert seen is not None
        self.assertEqual(seen["before"]["smClockMhz"], 345.0)
        self.assertEqual(seen["after"]["smClockMhz"], 1980.0)
        self.assertEqual(seen["during"]["smClockMhz"], [345.0, 1980.0])
        self.assertEqual(seen["during"]["throttleReasons"], ["0x0", "0x4"])

    def test_a_field_that_the_card_does_not_know_is_null(self) -> None:
        self.assertIsNone(_value("[N/A]"))
        self.assertEqual(_value("1980"), 1980.0)
        self.assertEqual(_value("Enabled"), "Enabled")


class ShapesTest(unittest.TestCase):
    def test_names_that_cuda_reports_find_the_gpu(self) -> None:
        gpus = load_shapes().gpus
        self.assertEqual(gpu_folder("NVIDIA H200", gpus), "h200")
        self.assertEqual(gpu_folder("NVIDIA H100 80GB HBM3", gpus), "h100")
        self.assertEqual(gpu_folder("NVIDIA A100-SXM4-80GB", gpus), "a100-80")
        self.assertEqual(gpu_folder("Some New GPU 9", gpus), "some-new-gpu-9")

    def test_the_first_model_has_the_first_rank(self) -> None:
        shapes = load_shapes()
        self.assertEqual(shapes.model_ranks()[shapes.matrices[0]["firstFor"]], 0)


class ListTest(InFolder):
    """`--list` of the program's folder copied elsewhere, with a Python that has nothing installed."""

    def setUp(self) -> None:
        super().setUp()
        self.program = self.folder / "copied" / "collect.py"
        shutil.copytree(COLLECT, self.program.parent, ignore=shutil.ignore_patterns("__pycache__"))

    def listed(self, *arguments: str) -> tuple[int, str, str]:
        # -S: no packages, so no PyTorch.
        command = [sys.executable, "-S", "-B", str(self.program), "--list", *arguments]
        done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=self.folder)
        return done.returncode, done.stdout, done.stderr

    def test_it_says_for_which_card_and_adds_the_tiers_up(self) -> None:
        status, said, complaints = self.listed()
        self.assertEqual((status, complaints), (0, ""))
        self.assertIn(
            "for an NVIDIA H200, as no GPU is here, tables of h200; seconds as guessed for an NVIDIA H200", said
        )
        minutes = [float(line.split()[3]) for line in said.splitlines() if line.startswith("   ")]
        self.assertEqual(len(minutes), 4)
        self.assertEqual(minutes, sorted(minutes))
        self.assertIn("what predictions need most", said)

    def test_it_says_how_far_a_budget_comes(self) -> None:
        _, said, _ = self.listed("--budget-s", "9m", "--suite", "gemm")
        self.assertRegex(
            said.splitlines()[-1], r"^540 s: \d+ rows, into tier [123] of gemm; 2 such runs for all of them$"
        )
        _, said, _ = self.listed("--budget-s", "1h")
        self.assertEqual(said.splitlines()[-1], "3600 s are enough for all of them")
        _, said, _ = self.listed("--budget-s", "2")
        self.assertRegex(said.splitlines()[-1], "^2 s are too few")

    def test_it_says_what_is_missing_in_the_folder_of_another_machine(self) -> None:
        out = self.folder / "theirs"
        l4 = {**PLANNED, "name": "NVIDIA L4", "numSms": 58, "memoryBytes": 24 << 30, "driver": "580.1"}
        sidecar = Sidecar(out, {**IDENTITY, "device": l4}, PROGRAM)
        sidecar.document["gpu"] = "my-l4"
        sidecar.write()
        table = Table(out / "gemm" / "my-l4" / "data.csv")
        table.append({"m": 1, "k": 4096, "n": 6144, "dtype": "bf16", "latency_us": 9.0})
        status, said, _ = self.listed("--out", str(out), "--suite", "gemm")
        self.assertEqual(status, 0)
        self.assertIn(f"in {out}, of NVIDIA L4, tables of my-l4;", said)
        self.assertRegex(said, r"(?m)^gemm +0 +1 ")
        self.assertIn("this program measures by another method", said)

    def test_it_passes_over_what_a_folder_holds_of_a_self_test(self) -> None:
        Sidecar(self.folder / "tested", {**IDENTITY, "device": {"name": "cpu", "driver": None}}, PROGRAM).write()
        status, said, complaint = self.listed("--out", "tested")
        self.assertEqual((status, said), (2, ""))
        self.assertIn("holds a self-test", complaint)

    def test_a_reader_who_stops_reading_gets_no_traceback(self) -> None:
        read, write = os.pipe()
        os.close(read)
        command = [sys.executable, "-S", "-B", str(self.program), "--list", "--suite", "copies"]
        done = subprocess.run(command, stdout=write, stderr=subprocess.PIPE, text=True, check=False)
        os.close(write)
        self.assertEqual((done.returncode, done.stderr), (0, ""))


class PlanTextTest(unittest.TestCase):
    def case(self, tier: int, guess_s: float, number: int) -> Case:
        return Case("gemm", "gemm.csv", {"n": number}, tier, guess_s)

    def test_tiers_are_counted_with_all_before_them(self) -> None:
        text = tier_summary([self.case(0, 60.0, 1), self.case(0, 60.0, 2), self.case(3, 30.0, 3)])
        self.assertEqual(
            [line.split()[:4] for line in text.splitlines()[1:]], [["0", "2", "2.0", "2.0"], ["3", "1", "0.5", "2.5"]]
        )

    def test_the_end_of_a_budget_is_kept_for_writing(self) -> None:
        cases: list[Any] = [self.case(0, 10.0, n) for n in range(10)]
        self.assertIn("3 rows, into tier 0 of gemm; 4 such runs", budget_summary(cases, 30.0 + RESERVE_S))
        self.assertIn("enough for all", budget_summary(cases, 100.0 + RESERVE_S))


if __name__ == "__main__":
    unittest.main()
