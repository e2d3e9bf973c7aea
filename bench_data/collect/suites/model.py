"""A transformer with random weights on one GPU, and its KV cache."""

from __future__ import annotations

from typing import Any

import torch

from kernels import elementwise
from kernels.experts import Experts
from suites.decode import BLOCK_SIZE
from workbench import Workbench

MAX_POSITIONS = 1 << 17


class Layer:
    """Weights and KV cache of one decoder layer."""

    def __init__(self, bench: Workbench, shape: dict[str, Any], num_blocks: int) -> None:
        hidden, heads, kv_heads, dim = (shape[name] for name in ("hiddenSize", "numHeads", "numKvHeads", "headDim"))
        self.norms = [_gains(bench, hidden), _gains(bench, hidden)]
        self.qkv = random_matrix(bench, (heads + 2 * kv_heads) * dim, hidden)
        self.qk_norms = [_gains(bench, dim), _gains(bench, dim)] if shape["hasQkNorm"] else []
        self.output = random_matrix(bench, hidden, heads * dim)
        moe = shape["moe"]
        if moe is None:
            self.gate_up = random_matrix(bench, 2 * shape["intermediateSize"], hidden)
            self.down = random_matrix(bench, hidden, shape["intermediateSize"])
        else:
            self.router = random_matrix(bench, moe["numExperts"], hidden)
            self.experts = _random_experts(bench, moe, hidden)
        self.k_cache = _fill(bench.new((num_blocks, BLOCK_SIZE, kv_heads, dim)), bench, 1.0)
        self.v_cache = _fill(bench.new((num_blocks, BLOCK_SIZE, kv_heads, dim)), bench, 1.0)


class Model:
    """All that a step needs but its batch."""

    def __init__(self, bench: Workbench, shape: dict[str, Any], num_layers: int, num_blocks: int) -> None:
        self.bench, self.shape, self.num_blocks = bench, shape, num_blocks
        self.embedding = random_matrix(bench, shape["vocabSize"], shape["hiddenSize"])
        self.layers = [Layer(bench, shape, num_blocks) for _ in range(num_layers)]
        self.final_norm = _gains(bench, shape["hiddenSize"])
        self.lm_head = random_matrix(bench, shape["vocabSize"], shape["hiddenSize"])
        positions = 256 if bench.is_rehearsal else MAX_POSITIONS
        self.cos_sin = elementwise.rope_table(positions, shape["headDim"], bench.device)


def layer_bytes(shape: dict[str, Any], element_bytes: int) -> int:
    """Of one layer's weights, norms left out."""
    hidden, heads, kv_heads, dim = (shape[name] for name in ("hiddenSize", "numHeads", "numKvHeads", "headDim"))
    attention = hidden * (2 * heads + 2 * kv_heads) * dim
    moe = shape["moe"]
    mlp = shape["intermediateSize"] if moe is None else moe["numExperts"] * moe["expertIntermediateSize"]
    return (attention + 3 * hidden * mlp) * element_bytes


def random_matrix(bench: Workbench, rows: int, columns: int) -> torch.Tensor:
    """[rows, columns] that keeps the size of what it is multiplied with."""
    return _fill(bench.new((rows, columns)), bench, columns**-0.5)


def _random_experts(bench: Workbench, moe: dict[str, Any], hidden: int) -> Experts:
    count, size = moe["numExperts"], moe["expertIntermediateSize"]
    none = bench.new((1,), torch.float32)
    gate_up = _fill(bench.new((count, 2 * size, hidden)), bench, hidden**-0.5)
    return Experts(
        gate_up, _fill(bench.new((count, hidden, size)), bench, size**-0.5), none.expand(count), none.expand(count)
    )


def _gains(bench: Workbench, size: int) -> torch.Tensor:
    return _fill(bench.new((size,)), bench, 0.1).add_(1.0)


def _fill(tensor: torch.Tensor, bench: Workbench, deviation: float) -> torch.Tensor:
    return tensor.normal_(std=deviation, generator=bench.pools.generator)
