"""Every path that a CPU can run, on tiny shapes: kernels are checked, files are written, nothing is measured."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from pathlib import Path
from typing import Any

from shapes import Shapes

# Nothing was tested, and something was wrong or is missing.
EXIT_NOT_TESTED, EXIT_NOT_PASSED = 2, 3
REHEARSAL_DEVICE: dict[str, Any] = {
    "name": "cpu",
    "driver": None,
    "l2Bytes": 4096,
    "memoryBytes": 1 << 24,
    "poolBytes": 4 << 20,
}


def rehearsal_shapes(shapes: Shapes) -> Shapes:
    """Tiny shapes with every feature of the real ones."""
    model = "self-test/dense"
    elementwise = [
        ("embedding", 1, 48, 192, 0), ("input_norm", 48, 48, 384, 96), ("qk_norm", 160, 160, 640, 64),
        ("rope", 160, 160, 640, 0), ("silu_mul", 144, 72, 432, 0), ("router_topk", 8, 2, 20, 0),
    ]  # fmt: skip
    names = ("name", "inputSize", "outputSize", "activationBytesPerToken", "weightBytes")
    attention = {"hiddenSize": 64, "vocabSize": 100, "numHeads": 4, "numKvHeads": 2, "headDim": 16}
    moe = {"numExperts": 4, "numExpertsPerToken": 2, "expertIntermediateSize": 32}
    return Shapes(
        matrices=[
            {"k": 64, "n": 32, "firstFor": model, "isQuantized": True, "isSampledOnly": False},
            {"k": 64, "n": 8, "firstFor": model, "isQuantized": False, "isSampledOnly": True},
        ],
        heads=[{"numHeads": 4, "numKvHeads": 2, "headDim": 16, "firstFor": model}],
        experts=[
            {
                "numExperts": 4,
                "numLocalExperts": 4,
                "topK": 2,
                "hiddenSize": 32,
                "intermediateSize": 48,
                "firstFor": model,
            }
        ],
        elementwise=[{**dict(zip(names, row, strict=True)), "headDim": 16} for row in elementwise],
        vocabularies=[{"vocabSize": 100, "bytesPerRow": 1000}],
        models=[
            {"id": model, "numLayers": 2, **attention, "hasQkNorm": False, "intermediateSize": 96, "moe": None},
            {"id": "self-test/moe", "numLayers": 2, **attention, "hasQkNorm": True, "intermediateSize": 0, "moe": moe},
        ],
        gpus=shapes.gpus,
    )


def run_self_test(options: argparse.Namespace, make_collector: Callable[..., Any]) -> int:
    """0 when every kernel is right and every row was written; says what a CPU could not show."""
    from kernels.backend import HAS_TRITON
    from plan import summary

    folder: Path = options.out
    device = {name: value for name, value in REHEARSAL_DEVICE.items() if name != "poolBytes"}
    collector = make_collector(options, device, folder)
    if not collector.plan.missing() and not collector.sidecar.refused:
        print(f"nothing was left to test: {folder} has every row of an earlier self-test; give another --out")
        return EXIT_NOT_TESTED
    reason = collector.run(["--self-test"])
    print(summary(collector.plan, None))
    print(
        "kernels: "
        + ("Triton's interpreter" if HAS_TRITON else "their references; Triton, or numpy before 2.4, is missing")
    )
    print("not shown on a CPU: CUDA graphs, events, cuBLAS, cuDNN, FlashAttention, tile sizes, nvidia-smi, speed")
    rows = f"{collector.sidecar.document['sessions'][-1]['rowsWritten']} rows written to {folder}"
    missing = len(collector.plan.missing())
    if collector.sidecar.refused:
        print(f"FAILED: {len(collector.sidecar.refused)} kernels or rows refused; {rows}, {missing} missing")
        return EXIT_NOT_PASSED
    if missing > 0:
        print(f"NOT FINISHED: stopped by {reason}, nothing failed so far; {rows}, {missing} missing")
        return EXIT_NOT_PASSED
    print(f"passed: {rows}")
    return 0
