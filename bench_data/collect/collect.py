#!/usr/bin/env python3
"""
Measures the kernels that roofserve's step model prices, on the GPU it finds: see README.md beside this file.

Exit codes: 0 the rows are there, or the budget was spent (what is missing is printed); 2 wrong arguments, something not
installed, or the folder holds rows of another device, cannot be written or is damaged; 3 the self-test found something
wrong or did not come to its end; 4 no GPU, or it was lost on the way.
"""

from __future__ import annotations

import argparse
import os
import signal
import sys
import time
from pathlib import Path
from typing import Any

from arguments import parse_arguments

# Importing PyTorch counts against the budget.
STARTED_S = time.monotonic()
HERE = Path(__file__).resolve().parent
EXIT_USAGE, EXIT_NO_GPU = 2, 4
# Of random numbers in bf16; half as much again in fp8.
POOL_BYTES = 12 << 30
POOL_FRACTION_OF_MEMORY = 0.15


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
    from plan import PLANNED
    from self_test import REHEARSAL_DEVICE, rehearsal_shapes
    from shapes import gpu_folder, load_shapes
    from workbench import Workbench

    shapes = load_shapes()
    if options.self_test:
        where = torch.device("cpu")
        pools = Pools(where, REHEARSAL_DEVICE["poolBytes"], REHEARSAL_DEVICE["l2Bytes"])
        return Workbench(where, "self-test", rehearsal_shapes(shapes), pools, 1, REHEARSAL_DEVICE["memoryBytes"])
    where = torch.device("cuda", options.device)
    pool_bytes = min(POOL_BYTES, int(POOL_FRACTION_OF_MEMORY * device["memoryBytes"]) >> 20 << 20)
    pools = Pools(where, pool_bytes, device["l2Bytes"] or PLANNED["l2Bytes"])
    folder = options.gpu.lower() if options.gpu else gpu_folder(device["name"], shapes.gpus)
    return Workbench(where, folder, shapes, pools, device["numSms"], device["memoryBytes"])


def make_collector(options: argparse.Namespace, device: dict[str, Any], folder: Path) -> Any:
    from budget import Budget
    from collector import Collector
    from environment import SMI_FIELDS, SmiLog, cuda_uuid, describe_versions, query_smi, smi_card
    from sidecar import Sidecar, planned_device, program_hash, read_collected
    from tables import Tables

    if not options.self_test:
        # Rows go on where the first session put them.
        options.gpu = options.gpu or (read_collected(folder) or {}).get("gpu")
    # A machine of the same kind with a little more memory must not plan other rows.
    bench = make_bench(options, planned_device(folder, device))
    identity = {"device": device, "versions": describe_versions(), "method": method_of(bench)}
    sidecar = Sidecar(folder, identity, program_hash(HERE))
    sidecar.document["gpu"] = bench.gpu
    bench.tuned, bench.save = sidecar.tuned, sidecar.write
    tables = Tables(folder, {"device": device["name"], "gpu": bench.gpu})
    card = None if bench.is_rehearsal else smi_card(cuda_uuid(options.device))
    smi = SmiLog(lambda: query_smi(SMI_FIELDS, card))
    source = f"measured: {device['name']}" if not bench.is_rehearsal else "modelled: self-test; nothing was measured"
    budget = Budget(options.budget_s, start_s=STARTED_S)
    return Collector(bench, make_suites(options.suites, bench), tables, sidecar, budget, smi, source)


def method_of(bench: Any) -> dict[str, Any]:
    """How rows are measured: only rows of one method stand in a folder."""
    from buffers import ROTATION_L2_SIZES
    from timing import METHOD

    return {**METHOD, "rotationL2Sizes": ROTATION_L2_SIZES, "poolBytes": bench.pools.num_bytes}


def main(arguments: list[str]) -> int:
    options = parse_arguments(arguments)
    if options.self_test:
        os.environ["TRITON_INTERPRET"] = "1"
    from plan import stand_in_for_torch
    from tables import FolderUnusable

    try:
        import torch  # noqa: F401 - whether it is there
    except ImportError as error:
        if not options.list:
            print(f"PyTorch is missing ({error}); run this with a Python that has it", file=sys.stderr)
            return EXIT_USAGE
        stand_in_for_torch()
    try:
        if options.self_test:
            from self_test import run_self_test

            return run_self_test(options, make_collector)
        return print_plan(options) if options.list else measure(options, arguments)
    except FolderUnusable as problem:
        print(problem, file=sys.stderr)
        return EXIT_USAGE


def measure(options: argparse.Namespace, arguments: list[str]) -> int:
    """Measures on the GPU; FolderUnusable where the folder is another device's, or the disk is full."""
    import torch

    from environment import describe_card, describe_device, why_no_cuda

    if not torch.cuda.is_available():
        print(
            f"no CUDA device: {why_no_cuda()}; --self-test runs without, and --list shows what would be measured",
            file=sys.stderr,
        )
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
    from plan import summary

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
    print(summary(collector.plan, collector.budget))
    if collector.plan.missing():
        print("run the same command again to measure what is missing")
    return 0


def print_plan(options: argparse.Namespace) -> int:
    """What would be measured on the GPU here, or on an H200; with a folder that was begun, what is missing in it."""
    from budget import Budget
    from plan import PLANNED, Plan, budget_summary, summary, tier_summary
    from sidecar import forget_what_may_go_well, program_hash, read_collected
    from tables import Tables

    known = read_collected(options.out) if options.out is not None else None
    here = cuda_device(options.device)
    device = here or PLANNED
    plan_of = f"on the {device['name']} here" if here else f"for an {device['name']}, as no GPU is here"
    if known is not None:
        require_measured(options.out, known)
        forget_what_may_go_well(known, program_hash(HERE))
        device, options.gpu = known["device"], options.gpu or known.get("gpu")
        plan_of = f"in {options.out}, of {device['name']}"
    bench = make_bench(options, device)
    holds = Tables(options.out, {}).holds if known is not None else lambda _case: False
    plan = Plan(make_suites(options.suites, bench), holds, known["refused"] if known is not None else {})
    missing = plan.missing()
    print(f"{plan_of}, tables of {bench.gpu}; seconds as guessed for an {PLANNED['name']}, compiling not counted:")
    print(summary(plan, Budget(0)))
    if missing:
        print(tier_summary(missing))
    if options.budget_s > 0 and missing:
        print(budget_summary(missing, options.budget_s))
    if known is not None and known["method"] != method_of(bench):
        print("this program measures by another method than those rows: it will not go on in that folder")
    return 0


def require_measured(folder: Path, known: dict[str, Any]) -> None:
    """FolderUnusable where what is known of a folder does not say which GPU its rows are of."""
    from self_test import REHEARSAL_DEVICE
    from tables import FolderUnusable

    if known["device"].get("name") == REHEARSAL_DEVICE["name"]:
        raise FolderUnusable(f"{folder} holds a self-test, nothing to be measured; give another --out")
    lacking = [name for name in ("name", "numSms", "memoryBytes", "l2Bytes") if name not in known["device"]]
    if lacking:
        raise FolderUnusable(f"{folder}: the device in collected.json has no {', '.join(lacking)}; give another --out")


def cuda_device(index: int) -> dict[str, Any] | None:
    """The GPU here; None without one, or without a PyTorch that finds it."""
    import torch

    from environment import describe_device

    if not torch.cuda.is_available() or not 0 <= index < torch.cuda.device_count():
        return None
    return describe_device("cuda", index)


def run() -> int:
    """`main`, for a reader who may stop reading: `--list | head` ends without a word."""
    try:
        status = main(sys.argv[1:])
        sys.stdout.flush()
        return status
    except BrokenPipeError:
        # Else Python complains once more while it ends.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0


if __name__ == "__main__":
    sys.exit(run())
