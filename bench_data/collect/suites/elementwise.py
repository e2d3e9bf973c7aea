"""The small kernels of a decoder layer, and sampling."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import torch

from buffers import poisoned
from cases import Case, Cell, Work
from kernels import elementwise as kernels
from workbench import Workbench, require_close

TOKENS = [1, 8, 32, 128, 256, 512, 1024, 2048, 4096, 8192, 16384]
SAMPLED_ROWS = [1, 8, 32, 64, 128, 256]
VOCABULARIES_MEASURED = 3
NUM_POSITIONS = 4096
GUESS_US_PER_BYTE = 1 / 2.5e6
# What a step also runs, though roofserve counts it with attention and with fp8 products.
KV_WRITE_SIZES = [1024, 512, 128]
QUANTIZE_SIZES = [4096, 14336, 2048]

Call = Callable[[], object]


class ElementwiseSuite:
    """`elementwise/<gpu>/data.csv`."""

    name = "elementwise"

    def __init__(self, bench: Workbench) -> None:
        self.bench = bench
        self._cos_sin: dict[int, torch.Tensor] = {}

    def cases(self) -> Iterable[Case]:
        shapes: list[dict[str, Any]] = list(self.bench.shapes.elementwise)
        shapes += [{"name": "kv_write", "inputSize": 2 * size, "outputSize": 2 * size} for size in KV_WRITE_SIZES]
        shapes += [{"name": "quantize", "inputSize": size, "outputSize": size} for size in QUANTIZE_SIZES]
        for shape in shapes:
            for tokens in self.bench.some(TOKENS):
                counted = "activationBytesPerToken" in shape
                size: Cell = tokens * shape["activationBytesPerToken"] + shape["weightBytes"] if counted else ""
                yield self._case(shape["name"], tokens, shape["inputSize"], shape["outputSize"], size, shape)
        for vocabulary in self.bench.shapes.vocabularies[:VOCABULARIES_MEASURED]:
            size = vocabulary["vocabSize"]
            for name in ("sample_greedy", "sample_top_p"):
                for rows in self.bench.some(SAMPLED_ROWS):
                    yield self._case(name, rows, size, 1, rows * vocabulary["bytesPerRow"], vocabulary)

    def _case(
        self, name: str, tokens: int, input_size: int, output_size: int, size: Cell, shape: dict[str, Any]
    ) -> Case:
        key: dict[str, Cell] = {
            "name": name, "num_tokens": tokens, "input_size": input_size, "output_size": output_size, "bytes": size
        }  # fmt: skip
        return Case(self.name, f"elementwise/{self.bench.gpu}/data.csv", key, 0, 0.04, shape, name)

    def prepare(self, case: Case) -> None:
        check_kernel(self.bench, _checked_shape(self.bench, case.part), self._table)

    def build(self, case: Case) -> Work:
        name, tokens = str(case.key["name"]), int(case.key["num_tokens"])
        moved = tokens * (int(case.key["input_size"]) + 2 * int(case.key["output_size"])) * self.bench.half_bytes
        sets = self.bench.pools.rotation(moved)
        if name.startswith("sample"):
            sets = min(sets, 8)
        calls = [make_call(self.bench, {**case.shape, "name": name}, tokens, self._table)[0] for _ in range(sets)]
        kernel = "torch" if name.startswith("sample") else "triton"
        estimate_us = (200.0 if name == "sample_top_p" else 2.0) + moved * GUESS_US_PER_BYTE
        return Work(calls, estimate_us, {"dtype": "bf16", "kernel": kernel, "working_set_bytes": sets * moved})

    def _table(self, dim: int) -> torch.Tensor:
        if dim not in self._cos_sin:
            self._cos_sin[dim] = kernels.rope_table(NUM_POSITIONS, dim, self.bench.device)
        return self._cos_sin[dim]

    def release(self) -> None:
        self._cos_sin.clear()


def make_call(
    bench: Workbench, shape: dict[str, Any], tokens: int, cos_sin_of: Callable[[int], torch.Tensor]
) -> tuple[Call, Callable[[], tuple[torch.Tensor, torch.Tensor]]]:
    """One run, and a check to be asked BEFORE it: it runs the kernel and gives output and reference."""
    name = shape["name"]
    if name == "input_norm":
        return _add_norm(bench, tokens, shape["inputSize"])
    if name in ("qk_norm", "rope"):
        return _on_heads(bench, name, tokens, shape["inputSize"], shape["headDim"], cos_sin_of)
    if name == "silu_mul":
        return _silu_mul(bench, tokens, shape["outputSize"])
    if name == "embedding":
        return _embedding(bench, tokens, shape["outputSize"])
    if name == "router_topk":
        return _router_topk(bench, tokens, shape["inputSize"], shape["outputSize"])
    if name == "kv_write":
        return _kv_write(bench, tokens, shape["inputSize"] // 2)
    if name == "quantize":
        return _quantize(bench, tokens, shape["inputSize"])
    return _sample(bench, tokens, shape["vocabSize"], name == "sample_top_p")


Made = tuple[Call, Callable[[], tuple[torch.Tensor, torch.Tensor]]]


def _add_norm(bench: Workbench, tokens: int, size: int) -> Made:
    x, weight = bench.take((tokens, size)), bench.take((size,))
    residual, out = bench.take((tokens, size)).clone(), poisoned((tokens, size), bench.device, bench.half)

    def call() -> None:
        kernels.add_norm(x, residual, weight, out)

    def check() -> tuple[torch.Tensor, torch.Tensor]:
        added, normed = kernels.add_norm_reference(x, residual, weight)
        call()
        return torch.cat([residual, out]), torch.cat([added, normed])

    return call, check


def _silu_mul(bench: Workbench, tokens: int, size: int) -> Made:
    gate_up, out = bench.take((tokens, 2 * size)), poisoned((tokens, size), bench.device, bench.half)

    def call() -> None:
        kernels.silu_mul(gate_up, out)

    def check() -> tuple[torch.Tensor, torch.Tensor]:
        call()
        return out, kernels.silu_mul_reference(gate_up)

    return call, check


def _on_heads(
    bench: Workbench, name: str, tokens: int, size: int, dim: int, cos_sin_of: Callable[[int], torch.Tensor]
) -> Made:
    """Q and K lie in the rows of the fused QKV output, V behind them untouched."""
    num_heads = size // dim
    num_q_heads = max(1, num_heads * 4 // 5)
    qkv = bench.take((tokens, size + (num_heads - num_q_heads) * dim)).clone()
    q_weight, k_weight = bench.take((dim,)), bench.take((dim,))
    positions = bench.pools.uniform_integers(NUM_POSITIONS, (tokens,))

    def call() -> None:
        if name == "rope":
            kernels.rope(qkv, cos_sin_of(dim), positions, num_heads)
        else:
            kernels.qk_norm(qkv, q_weight, k_weight, num_q_heads, num_heads)

    def check() -> tuple[torch.Tensor, torch.Tensor]:
        expected = qkv.double()
        if name == "rope":
            expected[:, :size] = kernels.rope_reference(qkv, cos_sin_of(dim), positions, num_heads)
        else:
            expected[:, :size] = kernels.qk_norm_reference(qkv, q_weight, k_weight, num_q_heads, num_heads)
        call()
        return qkv, expected

    return call, check


def _embedding(bench: Workbench, tokens: int, size: int) -> Made:
    rows = 32000 if not bench.is_rehearsal else 50
    table, out = bench.take((rows, size)), poisoned((tokens, size), bench.device, bench.half)
    ids = bench.pools.uniform_integers(rows, (tokens,))

    def call() -> None:
        kernels.gather_rows(table, ids, out)

    def check() -> tuple[torch.Tensor, torch.Tensor]:
        call()
        return out, table[ids.long()]

    return call, check


def _router_topk(bench: Workbench, tokens: int, num_experts: int, top_k: int) -> Made:
    logits = bench.take((tokens, num_experts))
    weights, ids = bench.new((tokens, top_k), torch.float32), bench.new((tokens, top_k), torch.int32)

    def call() -> None:
        kernels.router_topk(logits, weights, ids)

    def check() -> tuple[torch.Tensor, torch.Tensor]:
        weights.fill_(float("nan"))
        call()
        # Equal logits may swap experts, not their weights.
        chosen = torch.softmax(logits.double(), -1).gather(1, ids.long())
        found = torch.cat([weights.double(), chosen / chosen.sum(-1, keepdim=True)])
        expected, _ = kernels.router_topk_reference(logits, top_k)
        return found, torch.cat([expected, expected])

    return call, check


def _kv_write(bench: Workbench, tokens: int, size: int) -> Made:
    qkv = bench.take((tokens, 6 * size))
    k, v = qkv[:, 4 * size : 5 * size], qkv[:, 5 * size :]
    slots = bench.pools.permutation(max(tokens, 8 * tokens))[:tokens]
    k_cache = poisoned((8 * tokens, size), bench.device, bench.half)
    v_cache = poisoned((8 * tokens, size), bench.device, bench.half)

    def call() -> None:
        kernels.kv_write(k, v, k_cache, v_cache, slots)

    def check() -> tuple[torch.Tensor, torch.Tensor]:
        call()
        return torch.cat([k_cache[slots.long()], v_cache[slots.long()]]), torch.cat([k, v])

    return call, check


def _quantize(bench: Workbench, tokens: int, size: int) -> Made:
    x = bench.take((tokens, size))
    out, scales = bench.pools.take((tokens, size), torch.float8_e4m3fn).clone(), bench.new((tokens, 1), torch.float32)

    def call() -> None:
        kernels.quantize(x, out, scales)

    def check() -> tuple[torch.Tensor, torch.Tensor]:
        call()
        expected, expected_scales = kernels.quantize_reference(x)
        return out.float() * scales, expected.float() * expected_scales

    return call, check


def _sample(bench: Workbench, rows: int, vocabulary: int, is_top_p: bool) -> Made:
    """Logits to token ids as a plain PyTorch sampler does it: in float32; for top-p sorted, cut and drawn from."""
    logits, out = bench.take((rows, vocabulary)), bench.new((rows,), torch.int64)

    def greedy() -> None:
        torch.argmax(logits.float(), dim=-1, out=out)

    def top_p() -> None:
        scores, order = logits.float().sort(dim=-1)
        cut = scores.softmax(dim=-1).cumsum(dim=-1) <= 0.1
        cut[:, -1] = False
        kept = torch.empty_like(scores).scatter_(1, order, scores.masked_fill(cut, -float("inf")))
        shares = kept.softmax(dim=-1, dtype=torch.float32)
        out.copy_(shares.div_(torch.empty_like(shares).exponential_(1.0)).argmax(dim=-1))

    def check() -> tuple[torch.Tensor, torch.Tensor]:
        greedy()
        # Of equal logits any may be chosen.
        return logits.gather(1, out[:, None]), logits.amax(dim=-1, keepdim=True)

    return (top_p if is_top_p else greedy), check


def check_kernel(bench: Workbench, shape: dict[str, Any], cos_sin_of: Callable[[int], torch.Tensor]) -> None:
    """KernelRefused where the kernel is wrong on a ragged number of tokens."""
    _, check = make_call(bench, shape, 5, cos_sin_of)
    output, reference = check()
    tolerance = bench.fp8_tolerance if shape["name"] == "quantize" else 1e-2
    require_close(shape["name"], output, reference, tolerance)


def _checked_shape(bench: Workbench, name: str) -> dict[str, Any]:
    """A shape to check a kernel on: the first that models need."""
    if name == "kv_write":
        return {"name": name, "inputSize": 256}
    if name == "quantize":
        return {"name": name, "inputSize": 5000 if not bench.is_rehearsal else 300}
    if name.startswith("sample"):
        return {"name": name, **bench.shapes.vocabularies[0]}
    return next(shape for shape in bench.shapes.elementwise if shape["name"] == name)
