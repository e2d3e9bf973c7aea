#!/usr/bin/env python3
"""
Measures the kernels that roofserve's step model prices, on the GPU it finds: see README.md beside this file.

Exit codes: 0 the rows are there, or the budget was spent (what is missing is printed); 2 wrong arguments, something not
installed, or the folder holds rows of another device; 3 the self-test found something wrong; 4 no GPU, or it was lost on
the way.
"""

from __future__ import annotations

import argparse
import os
import signal
import sys
import time
from pathlib import Path
from typing import Any

# Importing PyTorch counts against the budget.
STARTED_S = time.monotonic()
HERE = Path(__file__).resolve().parent
SUITE_NAMES = [
    "bandwidth", "launch_gap", "whole_step", "gemm", "decode", "experts", "elementwise", "prefill",
    "copies", "decode_mixed", "gemm_variants",
]  # fmt: skip
EXIT_USAGE, EXIT_SELF_TEST, EXIT_NO_GPU = 2, 3, 4
# Of random numbers in bf16; half as much again in fp8.
POOL_BYTES = 12 << 30
POOL_FRACTION_OF_MEMORY = 0.15
# What a plan without a GPU is made for: an H200.
PLANNED: dict[str, Any] = {"name": "NVIDIA H200", "numSms": 132, "memoryBytes": 150_108_897_280, "l2Bytes": 62_914_560}


def parse_arguments(arguments: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="collect.py",
        description="Measure the kernels that roofserve prices, on the GPU of this machine, into a folder of tables.",
        epilog="Run the same command again to go on where it stopped; rows that are there are not measured again.",
    )
    parser.add_argument("--out", type=Path, help="folder for the tables; made if need be")
    parser.add_argument(
        "--suite", default="", metavar="NAMES", help=f"only these, separated by commas: {', '.join(SUITE_NAMES)}"
    )
    parser.add_argument(
        "--budget-s", type=float, default=0.0, metavar="S", help="stop cleanly after so many seconds; 0 = no limit"
    )
    parser.add_argument("--device", type=int, default=0, metavar="N", help="which CUDA device (default 0)")
    parser.add_argument(
        "--gpu", metavar="ID", help="folder of the tables, for a card that roofserve does not know by name"
    )
    parser.add_argument(
        "--list", action="store_true", help="print what there is to measure and how long it takes, and stop"
    )
    parser.add_argument(
        "--self-test", action="store_true", help="run every suite on the CPU with tiny shapes; measures nothing"
    )
    options = parser.parse_args(arguments)
    options.suites = [name for name in options.suite.split(",") if name] or SUITE_NAMES
    unknown = [name for name in options.suites if name not in SUITE_NAMES]
    if unknown:
        parser.error(f"--suite: got {', '.join(unknown)}; must be of {', '.join(SUITE_NAMES)}")
    if options.out is None and not options.list:
        parser.error("--out: say where the tables go")
    if options.out is not None and options.out.exists() and not options.out.is_dir():
        parser.error(f"--out: {options.out} is a file; give a folder")
    # What is left of a deadline that has passed must not be taken for no limit.
    if not options.budget_s >= 0:
        parser.error(f"--budget-s: got {options.budget_s}; must be 0 (no limit) or more")
    return options


def make_suites(names: list[str], bench: Any) -> list[Any]:
    """The suites asked for, in order of value."""
    from suites.bandwidth import BandwidthSuite
    from suites.copies import CopiesSuite
    from suites.decode import DecodeSuite, MixedDecodeSuite
    from suites.elementwise import ElementwiseSuite
    from suites.experts import ExpertsSuite
    from suites.gemm import GemmSuite, GemmVariantsSuite
    from suites.prefill import PrefillSuite
    from suites.whole_step import LaunchGapSuite, WholeStepSuite

    makers: list[Any] = [
        BandwidthSuite, LaunchGapSuite, WholeStepSuite, GemmSuite, DecodeSuite, ExpertsSuite, ElementwiseSuite,
        PrefillSuite, CopiesSuite, MixedDecodeSuite, GemmVariantsSuite,
    ]  # fmt: skip
    return [maker(bench) for maker in makers if maker.name in names]


def make_bench(options: argparse.Namespace, device: dict[str, Any]) -> Any:
    """The workbench for a device as `describe_device` tells it; the CPU gets tiny shapes."""
    import torch

    from buffers import Pools
    from self_test import REHEARSAL_DEVICE, rehearsal_shapes
    from shapes import gpu_folder, load_shapes
    from workbench import Workbench

    shapes = load_shapes()
    if options.self_test:
        where = torch.device("cpu")
        pools = Pools(where, REHEARSAL_DEVICE["poolBytes"], REHEARSAL_DEVICE["l2Bytes"])
        folder = options.gpu or "self-test"
        return Workbench(where, folder, rehearsal_shapes(shapes), pools, 1, REHEARSAL_DEVICE["memoryBytes"])
    where = torch.device("cuda", options.device)
    pool_bytes = min(POOL_BYTES, int(POOL_FRACTION_OF_MEMORY * device["memoryBytes"]) >> 20 << 20)
    pools = Pools(where, pool_bytes, device["l2Bytes"] or PLANNED["l2Bytes"])
    folder = options.gpu.lower() if options.gpu else gpu_folder(device["name"], shapes.gpus)
    return Workbench(where, folder, shapes, pools, device["numSms"], device["memoryBytes"])


def make_collector(options: argparse.Namespace, device: dict[str, Any], folder: Path) -> Any:
    from budget import Budget
    from buffers import ROTATION_L2_SIZES
    from collector import Collector
    from environment import SMI_FIELDS, SmiLog, describe_versions, query_smi
    from sidecar import Sidecar, planned_device, program_hash
    from tables import Tables
    from timing import METHOD

    # A machine of the same kind with a little more memory must not plan other rows.
    bench = make_bench(options, planned_device(folder, device))
    method = {**METHOD, "rotationL2Sizes": ROTATION_L2_SIZES, "poolBytes": bench.pools.num_bytes}
    identity = {"device": device, "versions": describe_versions(), "method": method}
    sidecar = Sidecar(folder, identity, program_hash(HERE))
    bench.tuned, bench.save = sidecar.tuned, sidecar.write
    tables = Tables(folder, {"device": device["name"], "gpu": bench.gpu})
    smi = SmiLog(lambda: None if bench.is_rehearsal else query_smi(SMI_FIELDS, options.device))
    source = f"measured: {device['name']}" if not bench.is_rehearsal else "modelled: self-test; nothing was measured"
    budget = Budget(options.budget_s, start_s=STARTED_S)
    return Collector(bench, make_suites(options.suites, bench), tables, sidecar, budget, smi, source)


def main(arguments: list[str]) -> int:
    options = parse_arguments(arguments)
    if options.self_test:
        os.environ["TRITON_INTERPRET"] = "1"
    try:
        import torch
    except ImportError as error:
        print(f"PyTorch is missing ({error}); run this with a Python that has it", file=sys.stderr)
        return EXIT_USAGE
    from sidecar import FolderTaken

    try:
        if options.self_test:
            from self_test import run_self_test

            return run_self_test(options, make_collector)
        return measure(options, arguments)
    except FolderTaken as taken:
        print(taken, file=sys.stderr)
        return EXIT_USAGE


def measure(options: argparse.Namespace, arguments: list[str]) -> int:
    """Measures on the GPU, or lists what there is to measure; FolderTaken where the folder is another device's."""
    import torch

    from environment import describe_card, describe_device

    if not torch.cuda.is_available():
        if options.list:
            return print_plan(options, PLANNED)
        print("no CUDA device; --self-test runs without one, and --list shows what would be measured", file=sys.stderr)
        return EXIT_NO_GPU
    if not has_triton():
        print(
            "Triton is missing; without it the kernels cannot be measured: install the one of your PyTorch",
            file=sys.stderr,
        )
        return EXIT_USAGE
    if not 0 <= options.device < torch.cuda.device_count():
        print(
            f"--device: got {options.device}; CUDA devices here: 0 to {torch.cuda.device_count() - 1}", file=sys.stderr
        )
        return EXIT_USAGE
    torch.cuda.set_device(options.device)
    device = describe_device("cuda", options.device)
    if options.list:
        return print_plan(options, device)
    problem = triton_problem(torch.device("cuda", options.device))
    if problem is not None:
        print(
            f"Triton cannot run a kernel here: {problem}\nit needs a C compiler and the headers of this Python",
            file=sys.stderr,
        )
        return EXIT_USAGE
    collector = make_collector(options, device, options.out)
    return collect(collector, arguments, describe_card(options.device))


def has_triton() -> bool:
    from kernels.backend import HAS_TRITON

    return HAS_TRITON


def triton_problem(device: Any) -> str | None:
    """
    Why Triton cannot run a kernel on the device, None where it can. Asked before the folder is touched: the rows of half the
    suites would be refused, and stay so when what is missing has been installed.
    """
    import torch

    from kernels.elementwise import silu_mul
    from workbench import one_line

    try:
        silu_mul(torch.zeros((1, 32), device=device), torch.empty((1, 16), device=device))
    # Whatever a compiler throws.
    except Exception as error:
        return one_line(error)
    return None


def collect(collector: Any, arguments: list[str], card: dict[str, Any] | None) -> int:
    """Measures until done, and prints what is there and what is missing."""
    from cases import DeviceLost
    from collector import summary

    def stop(_signal: int, _frame: object) -> None:
        collector.stop_requested = True

    signal.signal(signal.SIGTERM, stop)
    signal.signal(signal.SIGINT, stop)
    collector.sidecar.document["card"] = card
    try:
        reason = collector.run(arguments)
    except DeviceLost as lost:
        print(
            f"{lost}\nthe row is noted as refused; run the same command again to go on with the others", file=sys.stderr
        )
        return EXIT_NO_GPU
    print(f"stopped by {reason}" if reason != "all rows are there" else reason)
    print(summary(collector))
    if collector.missing():
        print("run the same command again to measure what is missing")
    return 0


def print_plan(options: argparse.Namespace, device: dict[str, Any]) -> int:
    """What would be measured on the device, or is still missing in the folder."""
    import tempfile

    from collector import summary

    with tempfile.TemporaryDirectory() as nowhere:
        folder = options.out if options.out is not None and (options.out / "collected.json").exists() else Path(nowhere)
        collector = make_collector(options, device, folder)
        print(f"on {device['name']}, guessed before anything was timed:")
        print(summary(collector))
        total_s = collector.budget.remaining_s([(case.suite, case.guess_s) for case in collector.missing()])
        print(f"{len(collector.missing())} rows, about {total_s / 60:.0f} minutes, compiling not counted")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
