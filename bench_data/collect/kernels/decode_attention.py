"""Decode attention over a paged KV cache: a request's KV is split among programs, and their parts are put together."""

from __future__ import annotations

from dataclasses import dataclass

import torch

from kernels.backend import HAS_TRITON, cdiv, next_power_of_2, tl, triton

LOG2_E = 1.4426950408889634
# Tensor cores multiply 16 rows at least.
MIN_GROUP = 16
# Work for each SM: enough programs that none waits long for the last.
PROGRAMS_PER_SM = 4
MAX_SPLITS = 64
# Fewer tokens than this are not worth a program.
MIN_SPLIT_TOKENS = 256


@triton.jit(do_not_specialize=["table_stride", "num_kv_heads", "group", "num_splits"])
def decode_split_kernel(
    q, k_cache, v_cache, block_table, kv_lens, out, parts, part_logs, scale_log2,
    q_stride, table_stride, num_kv_heads, group, num_splits,
    DIM: tl.constexpr, GROUP: tl.constexpr, BLOCK_SIZE: tl.constexpr, TILE: tl.constexpr, IS_WHOLE: tl.constexpr,
):  # fmt: skip
    """
    Attention of one KV head's query heads over one part of one request's KV.
    q [requests, heads, DIM]; caches [blocks, BLOCK_SIZE, num_kv_heads, DIM]; block_table [requests, table_stride].
    IS_WHOLE: one part, which goes to out [requests, heads, DIM]; else they go to parts [requests, heads, splits, DIM].
    """
    request = tl.program_id(0)
    kv_head = tl.program_id(1)
    split = tl.program_id(2)
    kv_len = tl.load(kv_lens + request)
    split_tokens = tl.cdiv(kv_len, num_splits * TILE) * TILE
    begin = split * split_tokens
    end = tl.minimum(begin + split_tokens, kv_len)
    rows = tl.arange(0, GROUP)
    columns = tl.arange(0, DIM)
    is_head = rows < group
    heads = kv_head * group + rows
    query = tl.load(
        q + request.to(tl.int64) * q_stride + heads[:, None] * DIM + columns[None, :], mask=is_head[:, None], other=0.0
    )
    largest = tl.full([GROUP], -float("inf"), dtype=tl.float32)
    total = tl.zeros([GROUP], dtype=tl.float32)
    mean = tl.zeros([GROUP, DIM], dtype=tl.float32)
    table = block_table + request.to(tl.int64) * table_stride
    for start in range(begin, end, TILE):
        tokens = start + tl.arange(0, TILE)
        inside = tokens < end
        block = tl.load(table + tokens // BLOCK_SIZE, mask=inside, other=0).to(tl.int64)
        places = ((block * BLOCK_SIZE + tokens % BLOCK_SIZE) * num_kv_heads + kv_head) * DIM
        key = tl.load(k_cache + places[None, :] + columns[:, None], mask=inside[None, :], other=0.0)
        score = tl.dot(query, key) * scale_log2
        score = tl.where(inside[None, :], score, -float("inf"))
        new_largest = tl.maximum(largest, tl.max(score, axis=1))
        shrink = tl.exp2(largest - new_largest)
        share = tl.exp2(score - new_largest[:, None])
        value = tl.load(v_cache + places[:, None] + columns[None, :], mask=inside[:, None], other=0.0)
        mean = mean * shrink[:, None] + tl.dot(share.to(value.dtype), value)
        total = total * shrink + tl.sum(share, axis=1)
        largest = new_largest
    is_empty = total == 0.0
    mean = mean / tl.where(is_empty, 1.0, total)[:, None]
    num_heads = num_kv_heads * group
    if IS_WHOLE:
        place = (request.to(tl.int64) * num_heads + heads[:, None]) * DIM + columns[None, :]
        tl.store(out + place, mean.to(out.dtype.element_ty), mask=is_head[:, None])
    else:
        part = (request.to(tl.int64) * num_heads + heads) * num_splits + split
        tl.store(parts + part[:, None] * DIM + columns[None, :], mean, mask=is_head[:, None])
        log = tl.where(is_empty, -float("inf"), largest + tl.log2(tl.where(is_empty, 1.0, total)))
        tl.store(part_logs + part, log, mask=is_head)


@triton.jit(do_not_specialize=["num_splits"])
def decode_join_kernel(parts, part_logs, out, num_splits, DIM: tl.constexpr, SPLITS: tl.constexpr):
    """Joins the parts of one head of one request, weighted by their softmax sums; one program a head."""
    head = tl.program_id(0).to(tl.int64)
    splits = tl.arange(0, SPLITS)
    columns = tl.arange(0, DIM)
    exists = splits < num_splits
    logs = tl.load(part_logs + head * num_splits + splits, mask=exists, other=-float("inf"))
    weight = tl.exp2(logs - tl.max(logs, axis=0))
    part = tl.load(
        parts + (head * num_splits + splits[:, None]) * DIM + columns[None, :], mask=exists[:, None], other=0.0
    )
    mean = tl.sum(part * weight[:, None], axis=0) / tl.sum(weight, axis=0)
    tl.store(out + head * DIM + columns, mean.to(out.dtype.element_ty))


@dataclass(frozen=True)
class DecodeConfig:
    """Tile sizes of the split kernel."""

    tile: int
    num_warps: int
    num_stages: int

    def __str__(self) -> str:
        return f"triton split-KV t{self.tile} w{self.num_warps} s{self.num_stages}"


CONFIGS = [DecodeConfig(64, 4, 3), DecodeConfig(128, 4, 3), DecodeConfig(32, 4, 4), DecodeConfig(64, 8, 4)]


def num_splits_of(batch_size: int, num_kv_heads: int, max_kv_len: int, num_sms: int) -> int:
    """Parts of each request's KV: enough programs for the SMs, none with too little to do."""
    wanted = cdiv(PROGRAMS_PER_SM * num_sms, batch_size * num_kv_heads)
    return max(1, min(wanted, MAX_SPLITS, cdiv(max_kv_len, MIN_SPLIT_TOKENS)))


@dataclass
class DecodeBatch:
    """Decode rows over a paged cache, and room for what the kernel parks between its launches."""

    q: torch.Tensor  # [requests, heads, dim], rows may be apart
    k_cache: torch.Tensor  # [blocks, block_size, kv_heads, dim]
    v_cache: torch.Tensor
    block_table: torch.Tensor  # int32 [requests, blocks of the longest]
    kv_lens: torch.Tensor  # int32 [requests]
    out: torch.Tensor  # [requests, heads, dim]
    parts: torch.Tensor  # float32 [requests * heads * splits, dim]
    part_logs: torch.Tensor  # float32 [requests * heads * splits]
    num_splits: int


def part_buffers(
    requests: int, heads: int, dim: int, num_splits: int, device: torch.device
) -> tuple[torch.Tensor, torch.Tensor]:
    count = requests * heads * num_splits if num_splits > 1 else 1
    return torch.empty((count, dim), dtype=torch.float32, device=device), torch.empty(
        count, dtype=torch.float32, device=device
    )


def decode_attention(batch: DecodeBatch, config: DecodeConfig) -> None:
    """Fills `batch.out`. One launch, or two where a request's KV is split."""
    if not HAS_TRITON:
        batch.out.copy_(decode_attention_reference(batch))
        return
    requests, heads, dim = batch.q.shape
    _, block_size, kv_heads, _ = batch.k_cache.shape
    group = heads // kv_heads
    decode_split_kernel[(requests, kv_heads, batch.num_splits)](
        batch.q, batch.k_cache, batch.v_cache, batch.block_table, batch.kv_lens,
        batch.out, batch.parts, batch.part_logs,
        LOG2_E / dim**0.5, batch.q.stride(0), batch.block_table.stride(0), kv_heads, group, batch.num_splits,
        DIM=dim, GROUP=max(MIN_GROUP, next_power_of_2(group)), BLOCK_SIZE=block_size, TILE=config.tile,
        IS_WHOLE=batch.num_splits == 1, num_warps=config.num_warps, num_stages=config.num_stages,
    )  # fmt: skip
    if batch.num_splits > 1:
        decode_join_kernel[(requests * heads,)](
            batch.parts, batch.part_logs, batch.out, batch.num_splits,
            DIM=dim, SPLITS=next_power_of_2(batch.num_splits), num_warps=4,
        )  # fmt: skip


def decode_attention_reference(batch: DecodeBatch) -> torch.Tensor:
    """[requests, heads, dim] float64, request by request."""
    requests, heads, dim = batch.q.shape
    _, block_size, kv_heads, _ = batch.k_cache.shape
    outputs = []
    for i in range(requests):
        kv_len = int(batch.kv_lens[i].item())
        blocks = batch.block_table[i, : cdiv(kv_len, block_size)].long()
        key = batch.k_cache[blocks].reshape(-1, kv_heads, dim)[:kv_len].double()
        value = batch.v_cache[blocks].reshape(-1, kv_heads, dim)[:kv_len].double()
        query = batch.q[i].double().view(kv_heads, heads // kv_heads, dim)
        share = torch.softmax(torch.einsum("hgd,thd->hgt", query, key) / dim**0.5, dim=-1)
        outputs.append(torch.einsum("hgt,thd->hgd", share, value).reshape(heads, dim))
    return torch.stack(outputs)
