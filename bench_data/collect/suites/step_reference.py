"""The same step in float64 and plain PyTorch, to check the fast one."""

from __future__ import annotations

import torch

from kernels import elementwise
from kernels.experts import experts_reference
from kernels.prefill_attention import PrefillBatch, prefill_attention_reference
from suites.decode import BLOCK_SIZE
from suites.model import Layer
from suites.step import Step


def reference_logits(step: Step) -> torch.Tensor:
    """
    [sampled, vocabulary] float64. Reads the cached tokens' KV from the caches, and computes the new tokens' itself.
    Experts are those that the step chose last: give it a model of one layer if it has any.
    """
    model = step.model
    residual = model.embedding[step.ids.long()].double()
    x = torch.zeros_like(residual)
    for layer in model.layers:
        residual, normed = elementwise.add_norm_reference(x, residual, layer.norms[0])
        x = _attention(step, layer, normed @ layer.qkv.double().t()) @ layer.output.double().t()
        residual, normed = elementwise.add_norm_reference(x, residual, layer.norms[1])
        x = _mlp(step, layer, normed)
    _, normed = elementwise.add_norm_reference(x, residual, model.final_norm)
    return normed[step.last.long()] @ model.lm_head.double().t()


def _attention(step: Step, layer: Layer, qkv: torch.Tensor) -> torch.Tensor:
    heads, kv_heads, dim = step.heads, step.kv_heads, step.dim
    num_qk_heads, qk_size = heads + kv_heads, (heads + kv_heads) * dim
    qk = qkv[:, :qk_size]
    if layer.qk_norms:
        q_gain, k_gain = layer.qk_norms
        qk = elementwise.qk_norm_reference(qk, q_gain, k_gain, heads, num_qk_heads)
    qk = elementwise.rope_reference(qk, step.model.cos_sin, step.positions, num_qk_heads)
    k_rows = layer.k_cache.view(-1, kv_heads, dim).double()
    v_rows = layer.v_cache.view(-1, kv_heads, dim).double()
    outputs, row = [], 0
    for i, request in enumerate(step.requests):
        rows = slice(row, row + request.new_tokens)
        row += request.new_tokens
        cached = torch.arange(request.context_tokens, device=qkv.device)
        if request.is_decode:
            slots = step.block_table[i, cached // BLOCK_SIZE].long() * BLOCK_SIZE + cached % BLOCK_SIZE
        else:
            slots = step.prompt_starts[i - step.num_decodes] + cached
        new_k = qk[rows, heads * dim :].unflatten(1, (kv_heads, dim))
        new_v = qkv[rows, qk_size:].unflatten(1, (kv_heads, dim))
        query = qk[rows, : heads * dim].unflatten(1, (heads, dim))[None]
        batch = PrefillBatch(
            query, torch.cat([k_rows[slots], new_k])[None], torch.cat([v_rows[slots], new_v])[None], query
        )
        outputs.append(prefill_attention_reference(batch)[0].flatten(1))
    return torch.cat(outputs)


def _mlp(step: Step, layer: Layer, normed: torch.Tensor) -> torch.Tensor:
    if step.model.shape["moe"] is not None:
        return experts_reference(normed, step.route_weights, step.route_ids, layer.experts)
    return elementwise.silu_mul_reference(normed @ layer.gate_up.double().t()) @ layer.down.double().t()
