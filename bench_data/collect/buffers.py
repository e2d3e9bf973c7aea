"""Inputs to measure on: views of large pools of random numbers, so that no row waits for its own."""

from __future__ import annotations

import math
from typing import Any

import torch

from cases import KernelRefused

# Runs cycle through inputs of at least so many L2 sizes, so that none finds its own in the cache.
ROTATION_L2_SIZES = 2.5
MAX_ROTATION = 256
ALIGNMENT_BYTES = 1024
FILL_CHUNK = 1 << 27
SEED = 20240917


class Pools:
    """Standard normal numbers in bf16 and fp8 e4m3; views wrap around at the end of their pool."""

    def __init__(self, device: torch.device, pool_bytes: int, l2_bytes: int) -> None:
        self.device = device
        self.l2_bytes = l2_bytes
        self._generator: torch.Generator | None = None
        self._pools: dict[torch.dtype, torch.Tensor] = {}
        self._next: dict[torch.dtype, int] = {}
        self.num_bytes = pool_bytes

    @property
    def generator(self) -> torch.Generator:
        """The one source of random numbers, made when first needed: a plan can be made without the device."""
        if self._generator is None:
            self._generator = torch.Generator(self.device).manual_seed(SEED)
        return self._generator

    def take(self, shape: tuple[int, ...], dtype: torch.dtype = torch.bfloat16) -> torch.Tensor:
        """The next contiguous view of random numbers. Nobody may write into it anything but such numbers."""
        count = math.prod(shape)
        pool = self.whole(dtype)
        if count > pool.numel():
            raise KernelRefused(f"{count} numbers of {dtype} do not fit in a pool of {pool.numel()}")
        start = self._next.get(dtype, 0)
        if start + count > pool.numel():
            start = 0
        step = ALIGNMENT_BYTES // dtype.itemsize
        self._next[dtype] = -(-(start + count) // step) * step
        return pool[start : start + count].view(shape)

    def whole(self, dtype: torch.dtype) -> torch.Tensor:
        """The pool itself, filled when it is first needed."""
        if dtype not in self._pools:
            pool = torch.empty(self.num_bytes // 2, dtype=dtype, device=self.device)
            source = None if dtype == torch.bfloat16 else self.whole(torch.bfloat16)
            for start in range(0, pool.numel(), FILL_CHUNK):
                part = pool[start : start + FILL_CHUNK]
                if source is None:
                    part.normal_(generator=self.generator)
                else:
                    part.copy_(source[start : start + FILL_CHUNK])
            self._pools[dtype] = pool
        return self._pools[dtype]

    def rotation(self, bytes_per_set: float) -> int:
        """How many sets of inputs of so many bytes make caches useless."""
        wanted = math.ceil(ROTATION_L2_SIZES * self.l2_bytes / max(1.0, bytes_per_set)) + 1
        return min(MAX_ROTATION, max(2, wanted))

    def uniform_integers(self, high: int, shape: tuple[int, ...], dtype: torch.dtype = torch.int32) -> torch.Tensor:
        """Integers of [0, high)."""
        return torch.randint(high, shape, generator=self.generator, device=self.device, dtype=dtype)

    def permutation(self, count: int) -> torch.Tensor:
        """0 … count - 1 in random order, int32."""
        return torch.randperm(count, generator=self.generator, device=self.device).to(torch.int32)


def poisoned(shape: tuple[int, ...], device: torch.device, dtype: torch.dtype = torch.bfloat16) -> torch.Tensor:
    """An output that shows where nothing was written: NaN."""
    return torch.full(shape, float("nan"), dtype=dtype, device=device)


def relative_error(output: Any, reference: torch.Tensor) -> float:
    """||output - reference|| / ||reference|| in float64; infinite where anything is not finite."""
    difference = output.to(torch.float64) - reference.to(torch.float64)
    error = (difference.norm() / reference.to(torch.float64).norm().clamp_min(1e-30)).item()
    return error if math.isfinite(error) else math.inf
