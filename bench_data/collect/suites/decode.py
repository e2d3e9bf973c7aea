"""Decode attention over a paged KV cache, KV write included: requests of equal length, and of mixed lengths."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

import torch

from buffers import poisoned
from cases import Case, Cell, Work
from kernels.backend import cdiv
from kernels.decode_attention import (
    CONFIGS,
    DecodeBatch,
    DecodeConfig,
    decode_attention,
    decode_attention_reference,
    num_splits_of,
    part_buffers,
)
from kernels.elementwise import kv_write
from workbench import Workbench, require_close

BLOCK_SIZE = 16
COARSE_BATCHES = [1, 4, 16, 64, 128, 256, 512]
COARSE_LENGTHS = [128, 512, 1024, 2048, 4096, 8192, 32768]
FINE_BATCHES = [2, 8, 32, 96, 192]
FINE_LENGTHS = [16, 256, 768, 1536, 3072, 6144, 16384, 65536, 131072]
MAX_KV_TOKENS = 1 << 21
FIRST_MODELS = 6
MIXED_BATCHES = [4, 16, 64, 256]
MIXED_MEAN = [512, 2048, 8192]
MIXES = ["uniform", "geometric", "one-long"]
GUESS_US_PER_BYTE = 1 / 3.0e6
REHEARSAL_CONFIG = DecodeConfig(16, 4, 2)


class DecodeSuite:
    """`mha/decode/<gpu>/<heads>-<kvheads>-<dim>.csv`."""

    name = "decode"

    def __init__(self, bench: Workbench) -> None:
        self.bench = bench

    def cases(self) -> Iterable[Case]:
        for shape in self.bench.shapes.heads:
            heads, kv_heads, dim = shape["numHeads"], shape["numKvHeads"], shape["headDim"]
            table = f"mha/decode/{self.bench.gpu}/{heads}-{kv_heads}-{dim}.csv"
            first = self.bench.tier_of(shape, FIRST_MODELS)
            for batch_size in self.bench.some(sorted(COARSE_BATCHES + FINE_BATCHES)):
                for kv_len in self.bench.some(sorted(COARSE_LENGTHS + FINE_LENGTHS)):
                    if batch_size * kv_len > MAX_KV_TOKENS:
                        continue
                    is_coarse = batch_size in COARSE_BATCHES and kv_len in COARSE_LENGTHS
                    key: dict[str, Cell] = {
                        "dtype": "bf16",
                        "kv_dtype": "bf16",
                        "batch_size": batch_size,
                        "kv_len": kv_len,
                    }
                    yield Case(self.name, table, key, first if is_coarse else first + 2, 0.05, shape, str(dim))

    def prepare(self, case: Case) -> None:
        check_decode(self.bench, int(case.shape["headDim"]))

    def build(self, case: Case) -> Work:
        return decode_work(self.bench, case.shape, [int(case.key["kv_len"])] * int(case.key["batch_size"]))

    def release(self) -> None:
        pass


class MixedDecodeSuite:
    """`decode_mixed/<gpu>/data.csv`: requests of unequal length, which a step model knows by sum and maximum only."""

    name = "decode_mixed"

    def __init__(self, bench: Workbench) -> None:
        self.bench = bench

    def cases(self) -> Iterable[Case]:
        for shape in self.bench.shapes.heads[:2]:
            heads, kv_heads, dim = shape["numHeads"], shape["numKvHeads"], shape["headDim"]
            for lengths in MIXES:
                for batch_size in self.bench.some(MIXED_BATCHES):
                    for mean in MIXED_MEAN if not self.bench.is_rehearsal else [32]:
                        kv_lens = mixed_lengths(lengths, batch_size, mean)
                        if sum(kv_lens) > MAX_KV_TOKENS:
                            continue
                        key: dict[str, Cell] = {
                            "num_heads": heads, "num_kv_heads": kv_heads, "head_dim": dim, "lengths": lengths,
                            "batch_size": batch_size, "sum_kv_len": sum(kv_lens), "max_kv_len": max(kv_lens),
                        }  # fmt: skip
                        table = f"decode_mixed/{self.bench.gpu}/data.csv"
                        yield Case(self.name, table, key, 1, 0.05, {**shape, "kvLens": kv_lens}, str(dim))

    def prepare(self, case: Case) -> None:
        check_decode(self.bench, int(case.shape["headDim"]))

    def build(self, case: Case) -> Work:
        return decode_work(self.bench, case.shape, case.shape["kvLens"])

    def release(self) -> None:
        pass


def mixed_lengths(kind: str, batch_size: int, mean: int) -> list[int]:
    """Lengths of about this mean, always the same: evenly spread, geometric, or one as long as all others together."""
    if kind == "one-long":
        each = mean // 2
        return [each * batch_size] + [max(1, each * batch_size // max(1, batch_size - 1))] * (batch_size - 1)
    if kind == "uniform":
        return [max(1, round(2 * mean * (i + 0.5) / batch_size)) for i in range(batch_size)]
    growth = 16.0 ** (1 / max(1, batch_size - 1))
    weights = [growth**i for i in range(batch_size)]
    return [max(1, round(mean * batch_size * weight / sum(weights))) for weight in weights]


class PagedCache:
    """A KV cache as large as the pool of random numbers allows, and its blocks in random order."""

    def __init__(self, bench: Workbench, kv_heads: int, dim: int) -> None:
        pool = bench.pools.whole(bench.half)
        block_numbers = BLOCK_SIZE * kv_heads * dim
        num_blocks = pool.numel() // 2 // block_numbers
        used = num_blocks * block_numbers
        self.k = pool[:used].view(num_blocks, BLOCK_SIZE, kv_heads, dim)
        self.v = pool[pool.numel() // 2 :][:used].view(num_blocks, BLOCK_SIZE, kv_heads, dim)
        self._order = bench.pools.permutation(num_blocks)
        self._next = 0

    def table(self, kv_lens: Sequence[int]) -> torch.Tensor:
        """Blocks for requests of these lengths, int32 [requests, most blocks]; the next ones in the random order."""
        width = max(cdiv(kv_len, BLOCK_SIZE) for kv_len in kv_lens)
        wanted = len(kv_lens) * width
        start, self._next = self._next, (self._next + wanted) % self._order.numel()
        places = torch.arange(start, start + wanted, device=self._order.device) % self._order.numel()
        return self._order[places].view(len(kv_lens), width).contiguous()


def config_of(bench: Workbench, dim: int) -> DecodeConfig:
    """Tile sizes that are fastest for the head size, found on a common shape."""
    if bench.is_rehearsal:
        return REHEARSAL_CONFIG
    shape = {"numHeads": 32, "numKvHeads": 8, "headDim": dim}
    by_name: dict[str, DecodeConfig] = {str(config): config for config in CONFIGS}

    def build(config: DecodeConfig) -> Callable[[], Work]:
        return lambda: decode_work(bench, shape, [4096] * 32, config)

    return by_name[
        bench.fastest(f"decode attention, head size {dim}", {name: build(config) for name, config in by_name.items()})
    ]


def decode_work(
    bench: Workbench, shape: dict[str, int], kv_lens: list[int], config: DecodeConfig | None = None
) -> Work:
    """KV write and attention of one token of each request, on blocks that other runs do not read."""
    kv_heads, dim = shape["numKvHeads"], shape["headDim"]
    if config is None:
        config = config_of(bench, dim)
    cache = PagedCache(bench, kv_heads, dim)
    kv_bytes = 2 * sum(kv_lens) * kv_heads * dim * bench.half_bytes
    sets = bench.pools.rotation(kv_bytes)
    batches = [decode_batch(bench, shape, kv_lens, cache) for _ in range(sets)]
    calls = [_decode_call(bench, batch, config) for batch in batches]
    cells: dict[str, Cell] = {
        "kernel": f"kv_write + {config}",
        "splits": batches[0].num_splits,
        "working_set_bytes": min(sets * kv_bytes, bench.pools.num_bytes),
    }
    return Work(calls, 5.0 + kv_bytes * GUESS_US_PER_BYTE, cells)


def decode_batch(bench: Workbench, shape: dict[str, int], kv_lens: list[int], cache: PagedCache) -> DecodeBatch:
    heads, kv_heads, dim = shape["numHeads"], shape["numKvHeads"], shape["headDim"]
    requests = len(kv_lens)
    splits = num_splits_of(requests, kv_heads, max(kv_lens), bench.num_sms)
    parts, part_logs = part_buffers(requests, heads, dim, splits, bench.device)
    return DecodeBatch(
        q=bench.take((requests, heads, dim)),
        k_cache=cache.k,
        v_cache=cache.v,
        block_table=cache.table(kv_lens),
        kv_lens=torch.tensor(kv_lens, dtype=torch.int32, device=bench.device),
        out=poisoned((requests, heads, dim), bench.device, bench.half),
        parts=parts,
        part_logs=part_logs,
        num_splits=splits,
    )


def last_slots(batch: DecodeBatch) -> torch.Tensor:
    """Where each request's newest token belongs, int32 [requests]."""
    last = (batch.kv_lens - 1).long()
    blocks = batch.block_table.gather(1, (last // BLOCK_SIZE)[:, None])[:, 0]
    return (blocks.long() * BLOCK_SIZE + last % BLOCK_SIZE).to(torch.int32)


def _decode_call(bench: Workbench, batch: DecodeBatch, config: DecodeConfig) -> Callable[[], object]:
    _, _, kv_heads, dim = batch.k_cache.shape
    size = kv_heads * dim
    new_k, new_v = bench.take((batch.q.shape[0], size)), bench.take((batch.q.shape[0], size))
    k_rows, v_rows, slots = batch.k_cache.view(-1, size), batch.v_cache.view(-1, size), last_slots(batch)

    def call() -> None:
        kv_write(new_k, new_v, k_rows, v_rows, slots)
        decode_attention(batch, config)

    return call


def check_decode(bench: Workbench, dim: int) -> None:
    """KernelRefused where attention is wrong, whole or split, for one query head per KV head or many."""
    for kv_lens in ([1, 17, 40], [300, 5, 2049]):
        for heads, kv_heads in ((4, 4), (16, 2)):
            if bench.is_rehearsal:
                kv_lens = [kv_len % 41 for kv_len in kv_lens]
            shape = {"numHeads": heads, "numKvHeads": kv_heads, "headDim": dim}
            batch = decode_batch(bench, shape, kv_lens, PagedCache(bench, kv_heads, dim))
            _decode_call(bench, batch, config_of(bench, dim))()
            require_close(f"decode attention {heads}-{kv_heads}-{dim}", batch.out, decode_attention_reference(batch))
