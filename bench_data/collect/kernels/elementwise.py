"""The small kernels between the products of a decoder layer, one launch each, as inference engines fuse them."""

from __future__ import annotations

import torch

from kernels.backend import HAS_TRITON, cdiv, next_power_of_2, tl, triton, warps_for

EPSILON = 1e-5
FP8_MAX = 448.0
SILU_BLOCK = 1024
QUANTIZE_BLOCK = 4096


@triton.jit
def add_norm_kernel(x, residual, weight, out, size, epsilon, BLOCK: tl.constexpr):
    """residual += x; out = rmsnorm(residual) * weight. x, residual, out [tokens, size]; one program a token."""
    row = tl.program_id(0).to(tl.int64) * size
    columns = tl.arange(0, BLOCK)
    inside = columns < size
    total = tl.load(x + row + columns, mask=inside, other=0.0).to(tl.float32)
    total += tl.load(residual + row + columns, mask=inside, other=0.0).to(tl.float32)
    tl.store(residual + row + columns, total.to(residual.dtype.element_ty), mask=inside)
    scale = 1.0 / tl.sqrt(tl.sum(total * total) / size + epsilon)
    gain = tl.load(weight + columns, mask=inside, other=0.0).to(tl.float32)
    tl.store(out + row + columns, (total * scale * gain).to(out.dtype.element_ty), mask=inside)


def add_norm(x: torch.Tensor, residual: torch.Tensor, weight: torch.Tensor, out: torch.Tensor) -> None:
    tokens, size = x.shape
    if not HAS_TRITON:
        added, normed = add_norm_reference(x, residual, weight)
        residual.copy_(added)
        out.copy_(normed)
        return
    warps = 4 if size <= 4096 else 8
    add_norm_kernel[(tokens,)](x, residual, weight, out, size, EPSILON, BLOCK=next_power_of_2(size), num_warps=warps)


def add_norm_reference(
    x: torch.Tensor, residual: torch.Tensor, weight: torch.Tensor
) -> tuple[torch.Tensor, torch.Tensor]:
    """The new residual and the output, float64."""
    total = x.double() + residual.double()
    return total, total * torch.rsqrt(total.square().mean(-1, keepdim=True) + EPSILON) * weight.double()


@triton.jit(do_not_specialize=["num_q_heads", "num_heads"])
def qk_norm_kernel(
    qk, q_weight, k_weight, stride, num_q_heads, num_heads, epsilon, DIM: tl.constexpr, HEADS: tl.constexpr
):
    """rmsnorm of every head of Q and K, in place; qk [tokens, stride] begins with its heads; one program a token."""
    row = tl.program_id(0).to(tl.int64) * stride
    heads = tl.arange(0, HEADS)[:, None]
    columns = tl.arange(0, DIM)[None, :]
    inside = heads < num_heads
    places = qk + row + heads * DIM + columns
    value = tl.load(places, mask=inside, other=0.0).to(tl.float32)
    scale = 1.0 / tl.sqrt(tl.sum(value * value, axis=1) / DIM + epsilon)
    q_gain = tl.load(q_weight + columns).to(tl.float32)
    k_gain = tl.load(k_weight + columns).to(tl.float32)
    gain = tl.where(heads < num_q_heads, q_gain, k_gain)
    tl.store(places, (value * scale[:, None] * gain).to(qk.dtype.element_ty), mask=inside)


def qk_norm(qk: torch.Tensor, q_weight: torch.Tensor, k_weight: torch.Tensor, num_q_heads: int, num_heads: int) -> None:
    """qk [tokens, >= num_heads * dim], rows may be longer than the heads."""
    dim = q_weight.numel()
    if not HAS_TRITON:
        qk[:, : num_heads * dim] = qk_norm_reference(qk, q_weight, k_weight, num_q_heads, num_heads).to(qk.dtype)
        return
    heads = next_power_of_2(num_heads)
    qk_norm_kernel[(qk.shape[0],)](
        qk, q_weight, k_weight, qk.stride(0), num_q_heads, num_heads, EPSILON,
        DIM=dim, HEADS=heads, num_warps=warps_for(dim * heads),
    )  # fmt: skip


def qk_norm_reference(
    qk: torch.Tensor, q_weight: torch.Tensor, k_weight: torch.Tensor, num_q_heads: int, num_heads: int
) -> torch.Tensor:
    dim = q_weight.numel()
    value = qk[:, : num_heads * dim].double().view(qk.shape[0], num_heads, dim)
    gain = torch.cat([q_weight.expand(num_q_heads, dim), k_weight.expand(num_heads - num_q_heads, dim)]).double()
    normed = value * torch.rsqrt(value.square().mean(-1, keepdim=True) + EPSILON) * gain
    return normed.reshape(qk.shape[0], num_heads * dim)


@triton.jit(do_not_specialize=["num_heads"])
def rope_kernel(qk, cos_sin, positions, stride, num_heads, HALF: tl.constexpr, HEADS: tl.constexpr):
    """Turns every head of Q and K by its token's position, in place; cos_sin [positions, 2 * HALF] float32."""
    token = tl.program_id(0)
    row = token.to(tl.int64) * stride
    turn = cos_sin + tl.load(positions + token).to(tl.int64) * 2 * HALF
    columns = tl.arange(0, HALF)
    cosine = tl.load(turn + columns)[None, :]
    sine = tl.load(turn + HALF + columns)[None, :]
    heads = tl.arange(0, HEADS)[:, None]
    inside = heads < num_heads
    first = qk + row + heads * (2 * HALF) + columns[None, :]
    a = tl.load(first, mask=inside, other=0.0).to(tl.float32)
    b = tl.load(first + HALF, mask=inside, other=0.0).to(tl.float32)
    tl.store(first, (a * cosine - b * sine).to(qk.dtype.element_ty), mask=inside)
    tl.store(first + HALF, (b * cosine + a * sine).to(qk.dtype.element_ty), mask=inside)


def rope(qk: torch.Tensor, cos_sin: torch.Tensor, positions: torch.Tensor, num_heads: int) -> None:
    dim = cos_sin.shape[1]
    if not HAS_TRITON:
        qk[:, : num_heads * dim] = rope_reference(qk, cos_sin, positions, num_heads).to(qk.dtype)
        return
    heads = next_power_of_2(num_heads)
    rope_kernel[(qk.shape[0],)](
        qk, cos_sin, positions, qk.stride(0), num_heads, HALF=dim // 2, HEADS=heads, num_warps=warps_for(dim * heads)
    )


def rope_reference(qk: torch.Tensor, cos_sin: torch.Tensor, positions: torch.Tensor, num_heads: int) -> torch.Tensor:
    dim = cos_sin.shape[1]
    value = qk[:, : num_heads * dim].double().view(qk.shape[0], num_heads, dim)
    a, b = value.chunk(2, dim=-1)
    cosine, sine = cos_sin.double()[positions.long()][:, None, :].chunk(2, dim=-1)
    return torch.cat([a * cosine - b * sine, b * cosine + a * sine], dim=-1).reshape(qk.shape[0], num_heads * dim)


def rope_table(num_positions: int, dim: int, device: torch.device) -> torch.Tensor:
    """[num_positions, dim] float32: cosines, then sines."""
    angle = torch.arange(num_positions, device=device)[:, None] / 10000.0 ** (
        torch.arange(0, dim, 2, device=device) / dim
    )
    return torch.cat([angle.cos(), angle.sin()], dim=-1).float()


@triton.jit
def silu_mul_kernel(gate_up, out, size, BLOCK: tl.constexpr):
    """out = silu(gate) * up; gate_up [tokens, 2 * size], out [tokens, size]."""
    token = tl.program_id(0).to(tl.int64)
    columns = tl.program_id(1) * BLOCK + tl.arange(0, BLOCK)
    inside = columns < size
    gate = tl.load(gate_up + token * 2 * size + columns, mask=inside, other=0.0).to(tl.float32)
    up = tl.load(gate_up + token * 2 * size + size + columns, mask=inside, other=0.0).to(tl.float32)
    tl.store(out + token * size + columns, (gate * tl.sigmoid(gate) * up).to(out.dtype.element_ty), mask=inside)


def silu_mul(gate_up: torch.Tensor, out: torch.Tensor) -> None:
    tokens, size = out.shape
    if not HAS_TRITON:
        out.copy_(silu_mul_reference(gate_up))
        return
    silu_mul_kernel[(tokens, cdiv(size, SILU_BLOCK))](gate_up, out, size, BLOCK=SILU_BLOCK, num_warps=4)


def silu_mul_reference(gate_up: torch.Tensor) -> torch.Tensor:
    gate, up = gate_up.double().chunk(2, dim=-1)
    return torch.nn.functional.silu(gate) * up


@triton.jit
def gather_rows_kernel(table, ids, out, size, BLOCK: tl.constexpr):
    """out[i] = table[ids[i]], rows of `size` numbers: the embedding, and the positions that are sampled."""
    row = tl.program_id(0)
    source = table + tl.load(ids + row).to(tl.int64) * size
    columns = tl.program_id(1) * BLOCK + tl.arange(0, BLOCK)
    inside = columns < size
    tl.store(out + row.to(tl.int64) * size + columns, tl.load(source + columns, mask=inside), mask=inside)


def gather_rows(table: torch.Tensor, ids: torch.Tensor, out: torch.Tensor) -> None:
    if not HAS_TRITON:
        out.copy_(table[ids.long()])
        return
    size = table.shape[1]
    gather_rows_kernel[(ids.numel(), cdiv(size, SILU_BLOCK))](table, ids, out, size, BLOCK=SILU_BLOCK, num_warps=4)


@triton.jit
def kv_write_kernel(k, v, k_cache, v_cache, slots, stride, size, BLOCK: tl.constexpr):
    """Puts each token's keys and values, `size` numbers, into its slot; k and v rows are `stride` apart."""
    token = tl.program_id(0)
    slot = tl.load(slots + token).to(tl.int64) * size
    row = token.to(tl.int64) * stride
    columns = tl.arange(0, BLOCK)
    inside = columns < size
    tl.store(k_cache + slot + columns, tl.load(k + row + columns, mask=inside), mask=inside)
    tl.store(v_cache + slot + columns, tl.load(v + row + columns, mask=inside), mask=inside)


def kv_write(
    k: torch.Tensor, v: torch.Tensor, k_cache: torch.Tensor, v_cache: torch.Tensor, slots: torch.Tensor
) -> None:
    """k, v [tokens, kv_heads * dim], rows equally far apart; caches [slots, kv_heads * dim]; slots int32 [tokens]."""
    tokens, size = k.shape
    if not HAS_TRITON:
        # Inputs may lie in the same pool as the cache.
        k_cache[slots.long()] = k.clone()
        v_cache[slots.long()] = v.clone()
        return
    kv_write_kernel[(tokens,)](
        k, v, k_cache, v_cache, slots, k.stride(0), size, BLOCK=next_power_of_2(size), num_warps=4
    )


@triton.jit(do_not_specialize=["num_experts"])
def router_topk_kernel(logits, weights, ids, num_experts, TOP_K: tl.constexpr, EXPERTS: tl.constexpr):
    """Softmax over the experts and its TOP_K largest, renormalised; one program a token."""
    token = tl.program_id(0)
    columns = tl.arange(0, EXPERTS)
    inside = columns < num_experts
    score = tl.load(logits + token * num_experts + columns, mask=inside, other=-float("inf")).to(tl.float32)
    share = tl.exp(score - tl.max(score, axis=0))
    share = tl.where(inside, share, -1.0)
    slots = tl.arange(0, TOP_K)
    chosen = tl.zeros([TOP_K], dtype=tl.int32)
    picked = tl.zeros([TOP_K], dtype=tl.float32)
    for i in tl.static_range(TOP_K):
        best = tl.argmax(share, axis=0)
        chosen = tl.where(slots == i, best, chosen)
        picked = tl.where(slots == i, tl.max(share, axis=0), picked)
        share = tl.where(columns == best, -1.0, share)
    tl.store(ids + token * TOP_K + slots, chosen)
    tl.store(weights + token * TOP_K + slots, picked / tl.sum(picked))


def router_topk(logits: torch.Tensor, weights: torch.Tensor, ids: torch.Tensor) -> None:
    """logits [tokens, experts] -> weights float32 and ids int32, both [tokens, top_k]; top_k a power of two."""
    if not HAS_TRITON:
        expected_weights, expected_ids = router_topk_reference(logits, ids.shape[1])
        weights.copy_(expected_weights)
        ids.copy_(expected_ids)
        return
    tokens, num_experts = logits.shape
    router_topk_kernel[(tokens,)](
        logits, weights, ids, num_experts, TOP_K=ids.shape[1], EXPERTS=next_power_of_2(num_experts), num_warps=1
    )


def router_topk_reference(logits: torch.Tensor, top_k: int) -> tuple[torch.Tensor, torch.Tensor]:
    shares, ids = torch.softmax(logits.double(), dim=-1).topk(top_k, dim=-1)
    return shares / shares.sum(-1, keepdim=True), ids


@triton.jit
def quantize_kernel(x, out, scales, size, BLOCK: tl.constexpr):
    """One fp8 scale per token: scale = max |x| / 448, out = x / scale; one program a token, two passes over its row."""
    token = tl.program_id(0)
    row = token.to(tl.int64) * size
    largest = tl.zeros([BLOCK], dtype=tl.float32)
    for start in range(0, size, BLOCK):
        columns = start + tl.arange(0, BLOCK)
        value = tl.load(x + row + columns, mask=columns < size, other=0.0).to(tl.float32)
        largest = tl.maximum(largest, tl.abs(value))
    scale = tl.maximum(tl.max(largest, axis=0), 1e-10) / 448.0
    tl.store(scales + token, scale)
    for start in range(0, size, BLOCK):
        columns = start + tl.arange(0, BLOCK)
        value = tl.load(x + row + columns, mask=columns < size, other=0.0).to(tl.float32)
        value = tl.clamp(value / scale, -448.0, 448.0)
        tl.store(out + row + columns, value.to(out.dtype.element_ty), mask=columns < size)


def quantize(x: torch.Tensor, out: torch.Tensor, scales: torch.Tensor) -> None:
    """x [tokens, size] bf16 -> out fp8 e4m3 and scales float32 [tokens, 1]."""
    if not HAS_TRITON:
        quantized, found = quantize_reference(x)
        out.copy_(quantized)
        scales.copy_(found)
        return
    block = min(QUANTIZE_BLOCK, next_power_of_2(x.shape[1]))
    quantize_kernel[(x.shape[0],)](x, out, scales, x.shape[1], BLOCK=block, num_warps=8 if block > 2048 else 4)


def quantize_reference(x: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    scales = x.float().abs().amax(-1, keepdim=True).clamp_min(1e-10) / FP8_MAX
    return (x.float() / scales).clamp(-FP8_MAX, FP8_MAX).to(torch.float8_e4m3fn), scales
