"""Causal attention of new tokens behind cached ones: libraries' kernels and ours, to be checked before use."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch

from kernels.backend import HAS_TRITON, cdiv, next_power_of_2, tl, triton, warps_for
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
        batch.q.stride(0), batch.q.stride(1), batch.k.stride(0), batch.k.stride(1),
        batch.out.stride(0), batch.out.stride(1),
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


@triton.jit(do_not_specialize=["num_new", "num_heads"])
def merge_kernel(
    a, b, a_logs, b_logs, out, a_batch, a_row, a_head, b_batch, b_row, b_head, out_batch, out_row, num_new, num_heads,
    DIM: tl.constexpr, HEADS: tl.constexpr,
):  # fmt: skip
    """out = two attentions over different tokens, weighted by their softmax sums; logs [prompts, heads, new]."""
    row = tl.program_id(0).to(tl.int64)
    prompt = tl.program_id(1).to(tl.int64)
    heads = tl.arange(0, HEADS)
    columns = tl.arange(0, DIM)
    inside = heads < num_heads
    log_places = (prompt * num_heads + heads) * num_new + row
    a_log = tl.load(a_logs + log_places, mask=inside, other=0.0)
    b_log = tl.load(b_logs + log_places, mask=inside, other=0.0)
    a_share = tl.sigmoid(a_log - b_log)[:, None]
    a_places = prompt * a_batch + row * a_row + heads[:, None] * a_head + columns[None, :]
    b_places = prompt * b_batch + row * b_row + heads[:, None] * b_head + columns[None, :]
    a_value = tl.load(a + a_places, mask=inside[:, None], other=0.0).to(tl.float32)
    b_value = tl.load(b + b_places, mask=inside[:, None], other=0.0).to(tl.float32)
    mean = a_value * a_share + b_value * (1.0 - a_share)
    out_places = prompt * out_batch + row * out_row + heads[:, None] * DIM + columns[None, :]
    tl.store(out + out_places, mean.to(out.dtype.element_ty), mask=inside[:, None])


# Attention of q [prompts, heads, new, dim] to k and v [prompts, kv_heads, tokens, dim], causal from the top left or
# not: the output, like q, and the logarithms of its softmax sums [prompts, heads, new].
Attend = Callable[[torch.Tensor, torch.Tensor, torch.Tensor, bool], tuple[torch.Tensor, torch.Tensor]]


def run_in_parts(batch: PrefillBatch, attend: Attend) -> torch.Tensor:
    """Cached tokens and new ones apart, where a library's mask knows new ones only; fills and returns `batch.out`."""
    prompts, num_new, heads, dim = batch.q.shape
    num_cached = batch.k.shape[1] - num_new
    if num_cached == 0:
        raise ValueError("without cached tokens there is nothing to part")
    q, k, v = (tensor.transpose(1, 2) for tensor in (batch.q, batch.k, batch.v))
    a, a_logs = attend(q, k[:, :, :num_cached], v[:, :, :num_cached], False)
    b, b_logs = attend(q, k[:, :, num_cached:], v[:, :, num_cached:], True)
    if not HAS_TRITON:
        a_share = torch.sigmoid(a_logs - b_logs)[..., None]
        return batch.out.copy_((a * a_share + b * (1 - a_share)).transpose(1, 2))
    merge_kernel[(num_new, prompts)](
        a, b, a_logs, b_logs, batch.out,
        a.stride(0), a.stride(2), a.stride(1), b.stride(0), b.stride(2), b.stride(1),
        batch.out.stride(0), batch.out.stride(1),
        num_new, heads, DIM=dim, HEADS=next_power_of_2(heads), num_warps=warps_for(dim * next_power_of_2(heads)),
    )  # fmt: skip
    return batch.out


def attend_by_cudnn(
    q: torch.Tensor, k: torch.Tensor, v: torch.Tensor, is_causal: bool
) -> tuple[torch.Tensor, torch.Tensor]:
    result = torch.ops.aten._scaled_dot_product_cudnn_attention(q, k, v, None, True, 0.0, is_causal, False)
    return result[0], result[1].reshape(q.shape[:3]).contiguous()


def attend_by_torch(
    q: torch.Tensor, k: torch.Tensor, v: torch.Tensor, is_causal: bool
) -> tuple[torch.Tensor, torch.Tensor]:
    """The plain formula, for a rehearsal."""
    group = q.shape[1] // k.shape[1]
    score = q @ k.repeat_interleave(group, dim=1).transpose(2, 3) / q.shape[-1] ** 0.5
    if is_causal:
        score = score.masked_fill(torch.ones_like(score, dtype=torch.bool).triu(1), -torch.inf)
    return score.softmax(-1) @ v.repeat_interleave(group, dim=1), score.logsumexp(-1).contiguous()


# Attends, and returns [prompts, new, heads, dim].
Implementation = Callable[[PrefillBatch], torch.Tensor]


def implementations(dim: int, device: torch.device, with_plans: bool) -> dict[str, Implementation]:
    """
    Everything that may do the work, by name; which of them are right and fast here has to be tried. `with_plans`: also
    cuDNN, which builds a plan for every new shape.
    """
    tile = 64 if dim <= 128 else 32
    configs = [PrefillConfig(128, tile, 8, 3), PrefillConfig(64, tile, 4, 3)]
    if dim <= 64:
        configs.append(PrefillConfig(128, 128, 8, 3))
    if device.type == "cpu":
        configs = [PrefillConfig(16, 16, 4, 2)]
    found: dict[str, Implementation] = {}
    for config in configs:
        found[str(config)] = lambda batch, config=config: run_triton(batch, config)
    if device.type == "cpu":
        found["in parts"] = lambda batch: run_in_parts(batch, attend_by_torch)
    if device.type == "cuda":
        found[f"torch flash {torch.__version__}"] = run_flash
    if device.type == "cuda" and with_plans:
        found[f"cudnn {torch.backends.cudnn.version()} in two parts"] = lambda batch: run_in_parts(
            batch, attend_by_cudnn
        )
        found[f"cudnn {torch.backends.cudnn.version()}"] = run_cudnn
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
