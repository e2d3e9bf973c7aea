"""Copy engines: pinned host memory to the GPU and back, and within the GPU."""

from __future__ import annotations

from collections.abc import Iterable

import torch

from cases import Case, Cell, KernelRefused, Work
from workbench import Workbench

SIZES = [1 << 12, 1 << 16, 1 << 20, 1 << 24, 1 << 28]
DIRECTIONS = ["h2d", "d2h", "d2d"]
US_PER_BYTE = {"h2d": 1 / 40e3, "d2h": 1 / 40e3, "d2d": 1 / 1.5e6}


class CopiesSuite:
    """`copies/<gpu>/data.csv`."""

    name = "copies"

    def __init__(self, bench: Workbench) -> None:
        self.bench = bench

    def cases(self) -> Iterable[Case]:
        for direction in DIRECTIONS:
            for size in [1 << 12, 1 << 14] if self.bench.is_rehearsal else SIZES:
                key: dict[str, Cell] = {"direction": direction, "bytes": size}
                yield Case(self.name, f"copies/{self.bench.gpu}/data.csv", key, 1, 0.1, {}, direction)

    def prepare(self, case: Case) -> None:
        source, target = self._pair(case.part, 4096)
        target.copy_(source, non_blocking=True)
        if self.bench.device.type == "cuda":
            torch.cuda.synchronize()
        if not torch.equal(source.cpu(), target.cpu()):
            raise KernelRefused(f"copy {case.part}: the copy differs")

    def _pair(self, direction: str, size: int) -> tuple[torch.Tensor, torch.Tensor]:
        can_pin = self.bench.device.type == "cuda"
        host = torch.randint(0, 255, (size,), dtype=torch.uint8, pin_memory=can_pin)
        on_device = host.to(self.bench.device, copy=True).random_(0, 255)
        other = torch.empty_like(on_device)
        return {"h2d": (host, other), "d2h": (on_device, host), "d2d": (on_device, other)}[direction]

    def build(self, case: Case) -> Work:
        direction, size = str(case.key["direction"]), int(case.key["bytes"])
        source, target = self._pair(direction, size)
        estimate_us = 5.0 + size * US_PER_BYTE[direction]
        return Work(
            [lambda: target.copy_(source, non_blocking=True)], estimate_us, {"kernel": "copy engine"}, captured=False
        )

    def release(self) -> None:
        pass
