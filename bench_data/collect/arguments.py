"""What the program is asked to do."""

from __future__ import annotations

import argparse
from pathlib import Path

SUITE_NAMES = [
    "bandwidth", "launch_gap", "whole_step", "gemm", "decode", "experts", "elementwise", "prefill",
    "copies", "decode_mixed", "gemm_variants",
]  # fmt: skip
UNIT_S = {"s": 1.0, "m": 60.0, "h": 3600.0}


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
        "--budget-s",
        type=duration_s,
        default=0.0,
        metavar="S",
        help="stop cleanly after so many seconds (540, or 9m); 0 = no limit",
    )
    parser.add_argument("--device", type=int, default=0, metavar="N", help="which CUDA device (default 0)")
    parser.add_argument(
        "--gpu", metavar="ID", help="name of the tables' folders, for a card that roofserve does not know by name"
    )
    parser.add_argument(
        "--list",
        action="store_true",
        help="print what there is to measure, or is missing in --out, and how long it takes; needs no GPU, no PyTorch",
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
    if options.self_test and options.gpu:
        parser.error("--gpu: the self-test's tables are no GPU's; leave it out")
    if options.self_test and options.list:
        parser.error("--list plans measurements, --self-test makes none: leave one of them out")
    return options


def duration_s(text: str) -> float:
    """Seconds of `540`, `540s`, `9m` or `1.5h`."""
    unit_s = UNIT_S.get(text[-1:])
    try:
        value_s = float(text) if unit_s is None else float(text[:-1]) * unit_s
    except ValueError:
        value_s = float("nan")
    # What is left of a deadline that has passed must not be taken for no limit.
    if not value_s >= 0:
        raise argparse.ArgumentTypeError(f"got {text}; must be seconds, such as 540, 540s, 9m or 1h; 0 = no limit")
    return value_s
