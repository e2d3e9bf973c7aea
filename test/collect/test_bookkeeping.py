"""Budget, order, tables, sidecar and names: everything of the collector that needs neither PyTorch nor a GPU."""

from __future__ import annotations

import json
import os
import sys
import tempfile
import unittest
from pathlib import Path

COLLECT = Path(__file__).resolve().parents[2] / "bench_data" / "collect"
sys.path.insert(0, str(COLLECT))

from budget import RESERVE_S, Budget  # noqa: E402 - found on the path set above
from cases import Case, in_order_of_value  # noqa: E402
from environment import SmiLog, _known_fields, _value, query_smi  # noqa: E402
from shapes import gpu_folder, load_shapes  # noqa: E402
from sidecar import FolderTaken, Sidecar, planned_device, program_hash  # noqa: E402
from tables import StepFile, Table, Tables, median  # noqa: E402

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
        with self.assertRaises(ValueError):
            table.append({"m": 3, "latency_us": 4.0, "other": 1})

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
        seen = query_smi({"clocks.sm": "smClockMhz", "new": "newThing"}, 0)
        self.assertEqual(seen, {"smClockMhz": 1980.0, "newThing": None})

    def test_without_nvidia_smi_there_is_nothing_to_tell_and_nothing_fails(self) -> None:
        self.only_on_path(None)
        self.assertIsNone(query_smi({"clocks.sm": "smClockMhz"}, 0))
        log = SmiLog(lambda: None)
        log.start()
        self.assertIsNone(log.stop())

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


if __name__ == "__main__":
    unittest.main()
