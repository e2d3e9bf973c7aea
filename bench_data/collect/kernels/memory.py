"""Kernels that only read: front to back, in random blocks, or half and half."""

from __future__ import annotations

import torch

from kernels.backend import HAS_TRITON, tl, triton

PATTERNS = {"sequential": 0, "scattered": 1, "mixed": 2}
# 16 bytes a thread, eight times.
TILE = 4096
PROGRAMS_PER_SM = 16


@triton.jit(do_not_specialize=["num_units"])
def read_units_kernel(source, order, sums, num_units, UNIT: tl.constexpr, TILE: tl.constexpr, PATTERN: tl.constexpr):
    """
    Sums units of UNIT int32 numbers, dealt out in turn over the programs; one sum per program is all it writes.
    source [num_units * UNIT], sums int64, order [units read at random].
    PATTERN 0 reads front to back, 1 at random, 2 every other unit at random from the second half.
    """
    program = tl.program_id(0)
    num_programs = tl.num_programs(0)
    total = tl.zeros([TILE], dtype=tl.int64)
    for step in range(0, tl.cdiv(num_units, num_programs)):
        unit = program + step * num_programs
        exists = unit < num_units
        if PATTERN == 0:
            place = unit
        elif PATTERN == 1:
            place = tl.load(order + unit, mask=exists, other=0)
        else:
            is_random = unit % 2
            drawn = tl.load(order + unit // 2, mask=exists, other=0) + num_units // 2
            place = tl.where(is_random == 1, drawn, unit // 2)
        start = place.to(tl.int64) * UNIT
        for piece in range(0, UNIT // TILE):
            offsets = start + piece * TILE + tl.arange(0, TILE)
            total += tl.load(source + offsets, mask=exists, other=0).to(tl.int64)
    tl.store(sums + program, tl.sum(total))


def read_units(source: torch.Tensor, order: torch.Tensor, sums: torch.Tensor, pattern: str, unit: int) -> None:
    """Reads all of `source` (int32) into `sums` [programs] (int64). `order` permutes what is read at random."""
    num_units = source.numel() // unit
    if not HAS_TRITON:
        sums.zero_()
        sums[0] = read_units_reference(source, order, pattern, unit)
        return
    read_units_kernel[(sums.numel(),)](
        source, order, sums, num_units, UNIT=unit, TILE=min(TILE, unit), PATTERN=PATTERNS[pattern], num_warps=4
    )


def read_units_reference(source: torch.Tensor, order: torch.Tensor, pattern: str, unit: int) -> int:
    """The sum of what should have been read."""
    units = source.view(-1, unit)
    half = units.shape[0] // 2
    if pattern == "sequential":
        read = units
    elif pattern == "scattered":
        read = units[order.long()]
    else:
        read = torch.cat([units[:half], units[half:][order.long()]])
    return int(read.sum(dtype=torch.int64).item())
