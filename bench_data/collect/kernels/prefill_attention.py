"""Causal attention of new tokens behind cached ones: libraries' kernels and one of our own, all to be checked before use."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch

from kernels.backend import HAS_TRITON, cdiv, tl, triton
from kernels.decode_attention import LOG2_E


@dataclass
class PrefillBatch:
    """Equal prompts: the last new token sees all tokens, each one before it one fewer."""

    q: torch.Tensor  # [prompts, new, heads, dim], rows may be apart
    k: torch.Tensor  # [prompts, cached + new, kv_heads, dim]
    v: torch.Tensor
    out: torch.Tensor  # [prompts, new, heads, dim]


@triton.jit(do_not_specialize=["num_new", "num_cached", "group"])
def prefill_kernel(
    q, k, v, out, q_batch, q_stride, k_batch, k_stride, out_batch, out_stride,
    scale_log2, num_new, num_cached, group,
    DIM: tl.constexpr, ROWS: tl.constexpr, TILE: tl.constexpr,
):  # fmt: skip
    """Attention of ROWS new tokens of one head; longest rows first, so that no SM ends long after the others."""
    tile = tl.num_programs(0) - 1 - tl.program_id(0)
    head = tl.program_id(1)
    prompt = tl.program_id(2).to(tl.int64)
    rows = tile * ROWS + tl.arange(0, ROWS)
    columns = tl.arange(0, DIM)
    inside = rows < num_new
    query_places = prompt * q_batch + rows[:, None].to(tl.int64) * q_stride + head * DIM + columns[None, :]
    query = tl.load(q + query_places, mask=inside[:, None], other=0.0)
    kv_base = prompt * k_batch + (head // group) * DIM
    largest = tl.full([ROWS], -float("inf"), dtype=tl.float32)
    total = tl.zeros([ROWS], dtype=tl.float32)
    mean = tl.zeros([ROWS, DIM], dtype=tl.float32)
    kv_len = num_cached + num_new
    end = tl.minimum(num_cached + (tile + 1) * ROWS, kv_len)
    # Tiles up to here are seen whole by every row.
    whole_end = (num_cached + tile * ROWS + 1) // TILE * TILE
    for start in range(0, whole_end, TILE):
        tokens = start + tl.arange(0, TILE)
        places = kv_base + tokens.to(tl.int64) * k_stride
        key = tl.load(k + places[None, :] + columns[:, None])
        score = tl.dot(query, key) * scale_log2
        new_largest = tl.maximum(largest, tl.max(score, axis=1))
        shrink = tl.exp2(largest - new_largest)
        share = tl.exp2(score - new_largest[:, None])
        value = tl.load(v + places[:, None] + columns[None, :])
        mean = tl.dot(share.to(value.dtype), value, mean * shrink[:, None])
        total = total * shrink + tl.sum(share, axis=1)
        largest = new_largest
    for start in range(whole_end, end, TILE):
        tokens = start + tl.arange(0, TILE)
        exists = tokens < kv_len
        places = kv_base + tokens.to(tl.int64) * k_stride
        key = tl.load(k + places[None, :] + columns[:, None], mask=exists[None, :], other=0.0)
        score = tl.dot(query, key) * scale_log2
        is_seen = tokens[None, :] <= (num_cached + rows)[:, None]
        score = tl.where(is_seen, score, -1.0e30)
        new_largest = tl.maximum(largest, tl.max(score, axis=1))
        shrink = tl.exp2(largest - new_largest)
        share = tl.exp2(score - new_largest[:, None])
        value = tl.load(v + places[:, None] + columns[None, :], mask=exists[:, None], other=0.0)
        mean = tl.dot(share.to(value.dtype), value, mean * shrink[:, None])
        total = total * shrink + tl.sum(share, axis=1)
        largest = new_largest
    out_places = prompt * out_batch + rows[:, None].to(tl.int64) * out_stride + head * DIM + columns[None, :]
    tl.store(out + out_places, (mean / total[:, None]).to(out.dtype.element_ty), mask=inside[:, None])


@dataclass(frozen=True)
class PrefillConfig:
    """Tile sizes of our own kernel."""

    rows: int
    tile: int
    num_warps: int
    num_stages: int

    def __str__(self) -> str:
        return f"triton r{self.rows} t{self.tile} w{self.num_warps} s{self.num_stages}"


def run_triton(batch: PrefillBatch, config: PrefillConfig) -> torch.Tensor:
    """Fills and returns `batch.out`."""
    if not HAS_TRITON:
        return batch.out.copy_(prefill_attention_reference(batch))
    prompts, num_new, heads, dim = batch.q.shape
    kv_len, kv_heads = batch.k.shape[1], batch.k.shape[2]
    prefill_kernel[(cdiv(num_new, config.rows), heads, prompts)](
        batch.q, batch.k, batch.v, batch.out,
        batch.q.stride(0), batch.q.stride(1), batch.k.stride(0), batch.k.stride(1), batch.out.stride(0), batch.out.stride(1),
        LOG2_E / dim**0.5, num_new, kv_len - num_new, heads // kv_heads,
        DIM=dim, ROWS=config.rows, TILE=config.tile, num_warps=config.num_warps, num_stages=config.num_stages,
    )  # fmt: skip
    return batch.out


def run_flash(batch: PrefillBatch) -> torch.Tensor:
    """The FlashAttention that PyTorch brings; its causal mask is aligned to the bottom right. Returns a new tensor."""
    num_new, kv_len = batch.q.shape[1], batch.k.shape[1]
    result = torch.ops.aten._flash_attention_forward(
        batch.q, batch.k, batch.v, None, None, num_new, kv_len, 0.0, True, False, scale=batch.q.shape[-1] ** -0.5
    )
    output: torch.Tensor = result[0]
    return output


def run_cudnn(batch: PrefillBatch) -> torch.Tensor:
    """cuDNN's fused attention; its causal mask is aligned to the top left, so that it is wrong behind cached tokens."""
    q, k, v = (tensor.transpose(1, 2) for tensor in (batch.q, batch.k, batch.v))
    result = torch.ops.aten._scaled_dot_product_cudnn_attention(q, k, v, None, False, 0.0, True, False)
    output: torch.Tensor = result[0].transpose(1, 2)
    return output


# Attends, and returns [prompts, new, heads, dim].
Implementation = Callable[[PrefillBatch], torch.Tensor]


def implementations(dim: int, device: torch.device) -> dict[str, Implementation]:
    """Everything that may do the work, by name; which of them are right and fast here has to be tried."""
    tile = 64 if dim <= 128 else 32
    configs = [PrefillConfig(128, tile, 8, 3), PrefillConfig(64, tile, 4, 3)]
    if dim <= 64:
        configs.append(PrefillConfig(128, 128, 8, 3))
    if device.type == "cpu":
        configs = [PrefillConfig(16, 16, 4, 2)]
    found: dict[str, Implementation] = {}
    for config in configs:
        found[str(config)] = lambda batch, config=config: run_triton(batch, config)
    if device.type == "cuda":
        found[f"cudnn {torch.backends.cudnn.version()}"] = run_cudnn
        found[f"torch flash {torch.__version__}"] = run_flash
    return found


def prefill_attention_reference(batch: PrefillBatch) -> torch.Tensor:
    """[prompts, new, heads, dim] float64."""
    prompts, num_new, heads, dim = batch.q.shape
    kv_len, kv_heads = batch.k.shape[1], batch.k.shape[2]
    query = batch.q.double().view(prompts, num_new, kv_heads, heads // kv_heads, dim)
    score = torch.einsum("bnhgd,bthd->bhgnt", query, batch.k.double()) / dim**0.5
    positions = torch.arange(num_new, device=batch.q.device) + kv_len - num_new
    is_seen = torch.arange(kv_len, device=batch.q.device)[None, :] <= positions[:, None]
    share = torch.softmax(score.masked_fill(~is_seen, -torch.inf), dim=-1)
    return torch.einsum("bhgnt,bthd->bnhgd", share, batch.v.double()).reshape(prompts, num_new, heads, dim)
