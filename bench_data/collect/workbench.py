"""What every suite works with: the GPU, its random numbers, and which implementation won."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import torch

from buffers import Pools, relative_error
from cases import DeviceLost, KernelRefused, Work
from shapes import Shapes
from tables import median
from timing import timer_of

# Of ||output - reference||: bf16 operands and float32 sums.
HALF_TOLERANCE = 1e-2
# fp8 operands are quantised alike in kernel and reference; products of the quantised numbers are nearly exact.
FP8_TOLERANCE = 2e-2
# Triton's interpreter cuts off where the GPU rounds to fp8.
REHEARSAL_FP8_TOLERANCE = 0.2
REHEARSAL_MAX_TOKENS = 40
REHEARSAL_COUNT = 2


@dataclass
class Workbench:
    """One GPU, or the CPU for a rehearsal."""

    device: torch.device
    gpu: str
    shapes: Shapes
    pools: Pools
    num_sms: int
    memory_bytes: int
    tuned: dict[str, Any] = field(default_factory=dict)
    # Puts `tuned` on the disk.
    save: Callable[[], None] = lambda: None

    @property
    def is_rehearsal(self) -> bool:
        return self.device.type == "cpu"

    @property
    def half(self) -> torch.dtype:
        """bf16; for a rehearsal float32, because Triton's interpreter cannot multiply bf16."""
        return torch.float32 if self.is_rehearsal else torch.bfloat16

    @property
    def half_bytes(self) -> int:
        return 4 if self.is_rehearsal else 2

    @property
    def fp8_tolerance(self) -> float:
        return REHEARSAL_FP8_TOLERANCE if self.is_rehearsal else FP8_TOLERANCE

    def some(self, sizes: Sequence[int]) -> list[int]:
        """All sizes on a GPU; for a rehearsal the first few small ones."""
        if not self.is_rehearsal:
            return list(sizes)
        return [size for size in sizes if size <= REHEARSAL_MAX_TOKENS][:REHEARSAL_COUNT]

    def tier_of(self, shape: dict[str, Any], first_models: int) -> int:
        """0 for shapes that the first models need, 1 for the others."""
        ranks = self.shapes.model_ranks()
        return 0 if ranks.get(shape["firstFor"], len(ranks)) < first_models else 1

    def new(self, shape: tuple[int, ...], dtype: torch.dtype | None = None) -> torch.Tensor:
        """Room for an output."""
        return torch.empty(shape, dtype=self.half if dtype is None else dtype, device=self.device)

    def take(self, shape: tuple[int, ...]) -> torch.Tensor:
        """Random inputs of 16-bit numbers."""
        return self.pools.take(shape, self.half)

    def require_alive(self, what: str) -> None:
        """DeviceLost when the GPU does not answer after `what`."""
        if self.device.type != "cuda":
            return
        try:
            torch.cuda.synchronize()
        except RuntimeError as lost:
            raise DeviceLost(f"the GPU answers no more after {what}: {one_line(lost)}") from lost

    def fastest(self, what: str, candidates: dict[str, Callable[[], Work]]) -> str:
        """
        The candidate with the lowest median in one look, found once a folder.
        Candidates that raise are out; KernelRefused when all are.
        """
        known = self.tuned.get(what)
        if known is not None and known["winner"] in candidates:
            return str(known["winner"])
        us: dict[str, float] = {}
        failed: dict[str, str] = {}
        for name, build in candidates.items():
            try:
                us[name] = median(timer_of(build(), self.device).look())
            except Exception as error:  # whatever a library throws, another may work
                failed[name] = one_line(error)
                self.require_alive(f"{what}: {name}")
        if not us:
            raise KernelRefused(f"{what}: no implementation runs here: {failed}")
        winner = min(us, key=lambda name: us[name])
        self.tuned[what] = {
            "winner": winner,
            "latencyUs": {name: round(value, 2) for name, value in us.items()},
            "failed": failed,
        }
        self.save()
        return winner


def one_line(error: Exception) -> str:
    """Its kind and the first line of what it says."""
    lines = str(error).splitlines()
    return f"{type(error).__name__}: {lines[0][:300] if lines else ''}"


def require_close(what: str, output: torch.Tensor, reference: torch.Tensor, tolerance: float = HALF_TOLERANCE) -> None:
    """KernelRefused where the output is not what the reference says, within a relative error of its norm."""
    error = relative_error(output, reference)
    if error > tolerance:
        raise KernelRefused(f"{what}: relative error {error:.3g}, allowed {tolerance}; its rows are left out")
