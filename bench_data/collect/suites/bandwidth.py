"""What memory delivers: read front to back, in random blocks as paged attention reads, and half and half."""

from __future__ import annotations

from collections.abc import Iterable

import torch

from cases import Case, Cell, KernelRefused, Work
from kernels.memory import PATTERNS, PROGRAMS_PER_SM, read_units, read_units_reference
from workbench import Workbench

# Runs a size is timed, each a row of its own.
REPEATS = 3
NUM_SIZES = 8
# Keys or values of one layer's block of 16 tokens: 8, 4 and 1 KV heads of 128 numbers in bf16.
BLOCK_BYTES = [32768, 16384, 4096]
REHEARSAL_BLOCK_BYTES = [16384, 8192]
LARGEST_FRACTION_OF_MEMORY = 0.25
INT_BYTES = 4
FILL_CHUNK = 1 << 28
GUESS_US_PER_BYTE = 1 / 3.0e6


class BandwidthSuite:
    """Rows of suite `bandwidth` in `characterization/<gpu>/data.csv`."""

    name = "bandwidth"

    def __init__(self, bench: Workbench) -> None:
        self.bench = bench
        self._buffer: torch.Tensor | None = None

    def _blocks(self) -> list[int]:
        return REHEARSAL_BLOCK_BYTES if self.bench.is_rehearsal else BLOCK_BYTES

    def sizes(self) -> list[int]:
        """Bytes of a run, geometric from twice the L2 cache to a quarter of the memory, whole blocks of every kind."""
        if self.bench.is_rehearsal:
            return [2 * REHEARSAL_BLOCK_BYTES[0] * factor for factor in (4, 8, 16)]
        least, most = 2.2 * self.bench.pools.l2_bytes, LARGEST_FRACTION_OF_MEMORY * self.bench.memory_bytes
        unit = 2 * BLOCK_BYTES[0]
        return [int(least * (most / least) ** (i / (NUM_SIZES - 1)) / unit) * unit for i in range(NUM_SIZES)]

    def cases(self) -> Iterable[Case]:
        for repeat in range(REPEATS if not self.bench.is_rehearsal else 1):
            for pattern in PATTERNS:
                for block in self._blocks() if pattern != "sequential" else self._blocks()[:1]:
                    for size in self.sizes():
                        key: dict[str, Cell] = {
                            "suite": "bandwidth", "pattern": pattern, "bytes": size,
                            "block_bytes": "" if pattern == "sequential" else block,
                            "kernels": "", "repeat": repeat,
                        }  # fmt: skip
                        table = f"characterization/{self.bench.gpu}/data.csv"
                        yield Case(
                            self.name,
                            table,
                            key,
                            0,
                            0.03 + 30e-6 * size * GUESS_US_PER_BYTE,
                            {"unit": block // INT_BYTES},
                            pattern,
                        )

    def prepare(self, case: Case) -> None:
        for block in self._blocks():
            check_read(self.bench, case.part, block // INT_BYTES)

    def build(self, case: Case) -> Work:
        size, unit, pattern = int(case.key["bytes"]), int(case.shape["unit"]), str(case.key["pattern"])
        buffer = self._whole_buffer()
        # Sets lie one after the other in the buffer; as many as fit.
        sets = max(1, min(8, buffer.numel() * INT_BYTES // size))
        working_set = sets * size
        calls = []
        for i in range(sets):
            source = buffer[i * size // INT_BYTES :][: size // INT_BYTES]
            order = self.bench.pools.permutation(source.numel() // unit // (2 if pattern == "mixed" else 1))
            sums = self.bench.new((PROGRAMS_PER_SM * self.bench.num_sms,), torch.int64)
            calls.append(lambda source=source, order=order, sums=sums: read_units(source, order, sums, pattern, unit))
        return Work(calls, 2.0 + size * GUESS_US_PER_BYTE, {"kernel": "triton", "working_set_bytes": working_set})

    def _whole_buffer(self) -> torch.Tensor:
        if self._buffer is None:
            self._buffer = random_integers(self.bench, self.sizes()[-1] // INT_BYTES)
        return self._buffer

    def release(self) -> None:
        self._buffer = None


def random_integers(bench: Workbench, count: int) -> torch.Tensor:
    """int32 over their whole range, filled piece by piece."""
    buffer = torch.empty(count, dtype=torch.int32, device=bench.device)
    for start in range(0, count, FILL_CHUNK):
        buffer[start : start + FILL_CHUNK].random_(-(2**31), 2**31 - 1, generator=bench.pools.generator)
    return buffer


def check_read(bench: Workbench, pattern: str, unit: int) -> None:
    """KernelRefused where not every number was read exactly once."""
    num_units = 6 if bench.is_rehearsal else 1000
    source = random_integers(bench, num_units * unit)
    order = bench.pools.permutation(num_units // (2 if pattern == "mixed" else 1))
    sums = bench.new((7,), torch.int64).fill_(1 << 60)
    read_units(source, order, sums, pattern, unit)
    if int(sums.sum().item()) != read_units_reference(source, order, pattern, unit):
        raise KernelRefused(f"{pattern} reads in blocks of {unit * INT_BYTES} bytes: the sum is wrong")
