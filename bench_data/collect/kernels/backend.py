"""Triton where it is installed. Without it the kernels' references stand in, on a CPU only: good for a rehearsal."""

from __future__ import annotations

import os
from typing import Any


def _numpy_version() -> tuple[int, int]:
    import numpy

    major, minor = numpy.__version__.split(".")[:2]
    return int(major), int(minor)


try:
    import triton
    import triton.language as tl

    # Triton's interpreter turns arrays of one element into numbers, which numpy 2.4 no longer does.
    HAS_TRITON = not (os.environ.get("TRITON_INTERPRET") == "1" and _numpy_version() >= (2, 4))
except ImportError:
    HAS_TRITON = False

    class _Nothing:
        """Lets modules with kernels be imported; calling one would fail."""

        constexpr = None

        @staticmethod
        def jit(function: Any = None, **_options: Any) -> Any:
            return function if function is not None else lambda kernel: kernel

    triton = _Nothing()
    tl = _Nothing()


def next_power_of_2(value: int) -> int:
    return 1 << max(0, value - 1).bit_length()


def warps_for(numbers: int) -> int:
    """Warps of a program that holds so many numbers at once: some 32 a thread, so that none spill."""
    return min(16, max(4, next_power_of_2(numbers // 1024)))


def cdiv(a: int, b: int) -> int:
    return -(-a // b)


__all__ = ["HAS_TRITON", "cdiv", "next_power_of_2", "tl", "triton", "warps_for"]
