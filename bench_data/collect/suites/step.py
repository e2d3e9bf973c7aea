"""One step of a model, built from the kernels that the other suites measure."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch

from cases import KernelRefused
from kernels import elementwise
from kernels.backend import cdiv
from kernels.decode_attention import DecodeBatch, decode_attention, num_splits_of, part_buffers
from kernels.experts import ExpertsWorkspace, block_rows, run_experts
from kernels.prefill_attention import PrefillBatch
from suites import decode, experts, prefill
from suites.decode import BLOCK_SIZE
from suites.model import Layer, Model


@dataclass(frozen=True)
class Request:
    """Tokens computed in the step behind tokens that are in the cache already."""

    new_tokens: int
    context_tokens: int
    is_decode: bool


@dataclass(frozen=True)
class Kernel:
    """One operator's launches."""

    kind: str
    call: Callable[[], object]


class Step:
    """One step of a model: its buffers, and its kernels in the order of the model. Decode requests come first."""

    def __init__(self, model: Model, requests: Sequence[Request]) -> None:
        self.model = model
        self.requests = sorted(requests, key=lambda request: not request.is_decode)
        bench, shape = model.bench, model.shape
        self.num_tokens = sum(request.new_tokens for request in self.requests)
        self.num_decodes = sum(request.is_decode for request in self.requests)
        hidden, heads, kv_heads, dim = (shape[name] for name in ("hiddenSize", "numHeads", "numKvHeads", "headDim"))
        self.heads, self.kv_heads, self.dim = heads, kv_heads, dim
        tokens, sampled = self.num_tokens, len(self.requests)
        self.ids = bench.pools.uniform_integers(shape["vocabSize"], (tokens,))
        self.zeros = bench.new((tokens, hidden)).zero_()
        self.x, self.residual, self.normed = (bench.new((tokens, hidden)).zero_() for _ in range(3))
        self.qkv, self.attended = bench.new((tokens, (heads + 2 * kv_heads) * dim)), bench.new((tokens, heads * dim))
        self.last = torch.tensor(_last_rows(self.requests), dtype=torch.int32, device=bench.device)
        self.sampled, self.logits = bench.new((sampled, hidden)), bench.new((sampled, shape["vocabSize"]))
        self.tokens_out = bench.new((sampled,), torch.int64)
        self._lay_out_kv()
        self._make_mlp_buffers()
        self.kernel_names: dict[str, str] = {}
        self._choose_kernels()
        self.kernels = self._kernels()

    def run(self) -> None:
        for kernel in self.kernels:
            kernel.call()

    def layer_kernels(self) -> list[Kernel]:
        """Those of the decoder layers, in the order of the model."""
        outside = ("embedding", "final_norm", "gather", "lm_head", "sample")
        return [kernel for kernel in self.kernels if kernel.kind not in outside]

    def _lay_out_kv(self) -> None:
        """Decode requests on blocks at random, prompts on blocks in a row; positions and slots of all tokens."""
        bench = self.model.bench
        lengths = [request.context_tokens + request.new_tokens for request in self.requests]
        decode_lengths, prompt_lengths = lengths[: self.num_decodes], lengths[self.num_decodes :]
        first_prompt_block = self.model.num_blocks - sum(cdiv(length, BLOCK_SIZE) for length in prompt_lengths)
        self.prompt_starts: list[int] = []
        block = first_prompt_block
        for length in prompt_lengths:
            self.prompt_starts.append(block * BLOCK_SIZE)
            block += cdiv(length, BLOCK_SIZE)
        width = max([cdiv(length, BLOCK_SIZE) for length in decode_lengths], default=1)
        if self.num_decodes * width > first_prompt_block:
            raise KernelRefused("the KV cache is too small for the batch")
        order = bench.pools.permutation(first_prompt_block)[: self.num_decodes * width]
        self.block_table = order.view(self.num_decodes, width).contiguous()
        self.kv_lens = torch.tensor(decode_lengths, dtype=torch.int32, device=bench.device)
        positions, slots = [], []
        for i, request in enumerate(self.requests):
            own = torch.arange(request.context_tokens, lengths[i], device=bench.device)
            positions.append(own)
            if request.is_decode:
                slots.append(self.block_table[i, own // BLOCK_SIZE].long() * BLOCK_SIZE + own % BLOCK_SIZE)
            else:
                slots.append(self.prompt_starts[i - self.num_decodes] + own)
        self.positions, self.slots = torch.cat(positions).to(torch.int32), torch.cat(slots).to(torch.int32)

    def _make_mlp_buffers(self) -> None:
        bench, shape = self.model.bench, self.model.shape
        moe, tokens = shape["moe"], self.num_tokens
        if moe is None:
            self.gate_up = bench.new((tokens, 2 * shape["intermediateSize"]))
            self.activated = bench.new((tokens, shape["intermediateSize"]))
            return
        top_k = moe["numExpertsPerToken"]
        self.router_logits = bench.new((tokens, moe["numExperts"]))
        self.route_weights = bench.new((tokens, top_k), torch.float32)
        self.route_ids = bench.new((tokens, top_k), torch.int32)
        rows = block_rows(tokens * top_k, moe["numExperts"])
        self.experts_config = experts.config_of(bench, rows, "bf16")
        self.workspace = ExpertsWorkspace(
            self.model.layers[0].experts, tokens, top_k, self.experts_config.rows, bench.half
        )

    def _choose_kernels(self) -> None:
        bench = self.model.bench
        if self.num_decodes > 0:
            longest = max(int(self.kv_lens.max().item()), 1)
            self.splits = num_splits_of(self.num_decodes, self.kv_heads, longest, bench.num_sms)
            self.decode_config = decode.config_of(bench, self.dim)
            self.parts = part_buffers(self.num_decodes, self.heads, self.dim, self.splits, bench.device)
            self.kernel_names["attention_decode"] = str(self.decode_config)
        for request in self.requests[self.num_decodes :]:
            is_cached = request.context_tokens > 0
            name, _ = prefill.implementation_of(bench, self.dim, request.new_tokens, request.context_tokens)
            self.kernel_names["attention_prefill_cached" if is_cached else "attention_prefill"] = name
        if self.model.shape["moe"] is not None:
            self.kernel_names["fused_experts"] = str(self.experts_config)

    def _kernels(self) -> list[Kernel]:
        kernels = [Kernel("embedding", lambda: elementwise.gather_rows(self.model.embedding, self.ids, self.residual))]
        for i, layer in enumerate(self.model.layers):
            kernels += self._attention_block(layer, self.zeros if i == 0 else self.x) + self._mlp_block(layer)
        model = self.model
        return [
            *kernels,
            Kernel("final_norm", lambda: elementwise.add_norm(self.x, self.residual, model.final_norm, self.normed)),
            Kernel("gather", lambda: elementwise.gather_rows(self.normed, self.last, self.sampled)),
            Kernel("lm_head", lambda: torch.mm(self.sampled, model.lm_head.t(), out=self.logits)),
            Kernel("sample", lambda: torch.argmax(self.logits.float(), dim=-1, out=self.tokens_out)),
        ]

    def _attention_block(self, layer: Layer, x: torch.Tensor) -> list[Kernel]:
        num_qk_heads = self.heads + self.kv_heads
        kernels = [
            Kernel("input_norm", lambda: elementwise.add_norm(x, self.residual, layer.norms[0], self.normed)),
            Kernel("qkv_proj", lambda: torch.mm(self.normed, layer.qkv.t(), out=self.qkv)),
        ]
        if layer.qk_norms:
            q_gain, k_gain = layer.qk_norms
            kernels.append(
                Kernel("qk_norm", lambda: elementwise.qk_norm(self.qkv, q_gain, k_gain, self.heads, num_qk_heads))
            )
        return [
            *kernels,
            Kernel("rope", lambda: elementwise.rope(self.qkv, self.model.cos_sin, self.positions, num_qk_heads)),
            Kernel("attention", self._attention(layer)),
            Kernel("o_proj", lambda: torch.mm(self.attended, layer.output.t(), out=self.x)),
        ]

    def _attention(self, layer: Layer) -> Callable[[], object]:
        """KV write of all tokens, decode attention, and one launch per prompt."""
        width, size = self.heads * self.dim, self.kv_heads * self.dim
        new_k, new_v = self.qkv[:, width : width + size], self.qkv[:, width + size :]
        k_rows, v_rows = layer.k_cache.view(-1, size), layer.v_cache.view(-1, size)
        decode_batch = self._decode_batch(layer) if self.num_decodes > 0 else None
        prompts = self._prompts(layer)

        def attend() -> None:
            elementwise.kv_write(new_k, new_v, k_rows, v_rows, self.slots)
            if decode_batch is not None:
                decode_attention(decode_batch, self.decode_config)
            for run, prompt in prompts:
                output = run(prompt)
                # Libraries make a tensor of their own.
                if output is not prompt.out:
                    prompt.out.copy_(output)

        return attend

    def _decode_batch(self, layer: Layer) -> DecodeBatch:
        rows = self.num_decodes
        return DecodeBatch(
            q=self.qkv[:rows, : self.heads * self.dim].unflatten(1, (self.heads, self.dim)),
            k_cache=layer.k_cache,
            v_cache=layer.v_cache,
            block_table=self.block_table,
            kv_lens=self.kv_lens,
            out=self.attended[:rows].view(rows, self.heads, self.dim),
            parts=self.parts[0],
            part_logs=self.parts[1],
            num_splits=self.splits,
        )

    def _prompts(self, layer: Layer) -> list[tuple[prefill.Implementation, PrefillBatch]]:
        prompts = []
        row = self.num_decodes
        for request, start in zip(self.requests[self.num_decodes :], self.prompt_starts, strict=True):
            rows = slice(row, row + request.new_tokens)
            row += request.new_tokens
            slots = slice(start, start + request.context_tokens + request.new_tokens)
            batch = PrefillBatch(
                q=self.qkv[rows, : self.heads * self.dim].unflatten(1, (self.heads, self.dim))[None],
                k=layer.k_cache.view(-1, self.kv_heads, self.dim)[slots][None],
                v=layer.v_cache.view(-1, self.kv_heads, self.dim)[slots][None],
                out=self.attended[rows].unflatten(1, (self.heads, self.dim))[None],
            )
            _, run = prefill.implementation_of(self.model.bench, self.dim, request.new_tokens, request.context_tokens)
            prompts.append((run, batch))
        return prompts

    def _mlp_block(self, layer: Layer) -> list[Kernel]:
        norm = Kernel(
            "post_attention_norm", lambda: elementwise.add_norm(self.x, self.residual, layer.norms[1], self.normed)
        )
        if self.model.shape["moe"] is None:
            return [
                norm,
                Kernel("gate_up_proj", lambda: torch.mm(self.normed, layer.gate_up.t(), out=self.gate_up)),
                Kernel("silu_mul", lambda: elementwise.silu_mul(self.gate_up, self.activated)),
                Kernel("down_proj", lambda: torch.mm(self.activated, layer.down.t(), out=self.x)),
            ]
        weights, ids = self.route_weights, self.route_ids
        return [
            norm,
            Kernel("router", lambda: torch.mm(self.normed, layer.router.t(), out=self.router_logits)),
            Kernel("router_topk", lambda: elementwise.router_topk(self.router_logits, weights, ids)),
            Kernel(
                "fused_experts",
                lambda: run_experts(
                    self.normed, weights, ids, layer.experts, self.workspace, self.x, self.experts_config
                ),
            ),
        ]


def _last_rows(requests: Sequence[Request]) -> list[int]:
    """Row of each request's last token."""
    rows, end = [], 0
    for request in requests:
        end += request.new_tokens
        rows.append(end - 1)
    return rows
