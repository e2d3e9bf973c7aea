"""Routed experts of one layer: sort by expert, gate-up, activation, down, sum over a token's experts."""

from __future__ import annotations

from collections.abc import Callable, Iterable

import torch

from buffers import poisoned
from cases import Case, Cell, Work
from kernels.experts import (
    CONFIGS,
    Experts,
    ExpertsConfig,
    ExpertsWorkspace,
    block_rows,
    experts_reference,
    run_experts,
)
from workbench import Workbench, require_close

DECODE_TOKENS = [1, 2, 4, 8, 16, 32, 64, 128, 256, 512]
PREFILL_TOKENS = [1024, 2048, 4096, 8192, 16384]
FIRST_MODELS = 6
GUESS_US_PER_FLOP = 1 / 300e6
GUESS_US_PER_BYTE = 1 / 2.5e6
REHEARSAL_CONFIG = ExpertsConfig(16, 32, 32, 4, 2)
# A sum in another order moves a token's largest activation by a bf16 step, and with it the fp8 grid of all others: 4 %
# seen with one token. A wrong scale, row or expert is off by tens of percent.
FP8_TOLERANCE = 8e-2


class ExpertsSuite:
    """`grouped_gemm/decode/<gpu>/data.csv` and `grouped_gemm/prefill/<gpu>/data.csv`."""

    name = "experts"

    def __init__(self, bench: Workbench) -> None:
        self.bench = bench

    def cases(self) -> Iterable[Case]:
        for dtype in ("bf16", "fp8"):
            for shape in self.bench.shapes.experts:
                tier = self.bench.tier_of(shape, FIRST_MODELS) + (0 if dtype == "bf16" else 1)
                for phase, column, sizes in (
                    ("decode", "batch_size_per_gpu", DECODE_TOKENS),
                    ("prefill", "seq_len_per_gpu", PREFILL_TOKENS if not self.bench.is_rehearsal else [24]),
                ):
                    for tokens in self.bench.some(sizes):
                        key = {**_shape_cells(shape), column: tokens, "dtype": dtype}
                        table = f"grouped_gemm/{phase}/{self.bench.gpu}/data.csv"
                        guess_s = 0.08 + 30e-6 * _guess_us(shape, tokens, dtype)
                        part = f"{dtype}, blocks of {_rows_of(shape, tokens)} rows"
                        yield Case(self.name, table, key, tier, guess_s, shape, part)

    def prepare(self, case: Case) -> None:
        check_experts(self.bench, str(case.key["dtype"]), _rows_of(case.shape, _tokens_of(case)))

    def build(self, case: Case) -> Work:
        return experts_work(self.bench, case.shape, _tokens_of(case), str(case.key["dtype"]))

    def release(self) -> None:
        pass


def _tokens_of(case: Case) -> int:
    return int(case.key.get("batch_size_per_gpu", case.key.get("seq_len_per_gpu", 0)))


def _rows_of(shape: dict[str, int], tokens: int) -> int:
    """Rows of the blocks that so many tokens are laid out in."""
    return block_rows(tokens * shape["topK"], shape["numExperts"])


def _shape_cells(shape: dict[str, int]) -> dict[str, Cell]:
    return {
        "num_experts": shape["numExperts"],
        "num_gpus": 1,
        "num_local_experts": shape["numLocalExperts"],
        "topk": shape["topK"],
        "hidden_size": shape["hiddenSize"],
        "intermediate_size": shape["intermediateSize"],
    }


def layer_of(bench: Workbench, shape: dict[str, int], dtype: str) -> Experts:
    """One layer's weights, views of the pool."""
    count, hidden, intermediate = shape["numLocalExperts"], shape["hiddenSize"], shape["intermediateSize"]
    weight_dtype = torch.float8_e4m3fn if dtype == "fp8" else bench.half
    return Experts(
        gate_up=bench.pools.take((count, 2 * intermediate, hidden), weight_dtype),
        down=bench.pools.take((count, hidden, intermediate), weight_dtype),
        # Keeps sums of products of standard normal numbers near 1.
        gate_up_scales=bench.new((count, 2 * intermediate), torch.float32).fill_(hidden**-0.5),
        down_scales=bench.new((count, hidden), torch.float32).fill_(intermediate**-0.5),
    )


def draw_experts(bench: Workbench, tokens: int, num_experts: int, top_k: int) -> tuple[torch.Tensor, torch.Tensor]:
    """Weights float32 and ids int32 [tokens, top_k]: different experts for a token, each equally likely."""
    scores = torch.rand((tokens, num_experts), generator=bench.pools.generator, device=bench.device)
    ids = scores.topk(top_k, dim=-1).indices.to(torch.int32)
    return torch.full(ids.shape, 1.0 / top_k, device=bench.device), ids


def config_of(bench: Workbench, rows: int, dtype: str) -> ExpertsConfig:
    """Tile sizes that are fastest for blocks of so many rows, found on the first shape of experts."""
    if bench.is_rehearsal:
        return REHEARSAL_CONFIG
    shape = bench.shapes.experts[3] if len(bench.shapes.experts) > 3 else bench.shapes.experts[0]
    tokens = max(1, rows * shape["numExperts"] // shape["topK"])
    by_name = {str(config): config for config in CONFIGS[rows]}

    def build(config: ExpertsConfig) -> Callable[[], Work]:
        return lambda: experts_work(bench, shape, tokens, dtype, config)

    what = f"experts, {dtype}, blocks of {rows} rows"
    return by_name[bench.fastest(what, {name: build(config) for name, config in by_name.items()})]


def experts_work(
    bench: Workbench, shape: dict[str, int], tokens: int, dtype: str, config: ExpertsConfig | None = None
) -> Work:
    """Runs on different weights, inputs and routes."""
    if config is None:
        config = config_of(bench, _rows_of(shape, tokens), dtype)
    element_bytes = 1 if dtype == "fp8" else bench.half_bytes
    touched = _expected_touched(shape, tokens)
    bytes_per_set = touched * 3 * shape["hiddenSize"] * shape["intermediateSize"] * element_bytes
    # Random routes of one layer touch the same weights again: rotate over layers.
    calls, touched_counts = [], []
    for _ in range(min(16, bench.pools.rotation(bytes_per_set))):
        layer = layer_of(bench, shape, dtype)
        weights, ids = draw_experts(bench, tokens, shape["numExperts"], shape["topK"])
        touched_counts.append(ids.unique().numel())
        calls.append(_experts_call(bench, layer, tokens, weights, ids, config))
    cells: dict[str, Cell] = {
        "kernel": str(config),
        "routing": "uniform",
        "working_set_bytes": round(len(calls) * bytes_per_set),
        "touched_experts": round(sum(touched_counts) / len(touched_counts), 1),
    }
    return Work(calls, _guess_us(shape, tokens, dtype), cells)


def _experts_call(
    bench: Workbench, layer: Experts, tokens: int, weights: torch.Tensor, ids: torch.Tensor, config: ExpertsConfig
) -> Callable[[], object]:
    hidden = layer.down.shape[1]
    x, out = bench.take((tokens, hidden)), poisoned((tokens, hidden), bench.device, bench.half)
    workspace = ExpertsWorkspace(layer, tokens, ids.shape[1], config.rows, bench.half)
    return lambda: run_experts(x, weights, ids, layer, workspace, out, config)


def check_experts(bench: Workbench, dtype: str, rows: int) -> None:
    """
    KernelRefused where the sum over experts is wrong in blocks of so many rows: for one token, for blocks that are not
    full, and for experts of more than one block.
    """
    config = config_of(bench, rows, dtype)
    sizes = ((1, 64, 32), (70, 64, 96), (1500, 64, 96)) if not bench.is_rehearsal else ((1, 32, 32), (90, 32, 48))
    for tokens, hidden, intermediate in sizes:
        shape = {
            "numExperts": 8,
            "numLocalExperts": 8,
            "topK": 2,
            "hiddenSize": hidden,
            "intermediateSize": intermediate,
        }
        layer = layer_of(bench, shape, dtype)
        weights, ids = draw_experts(bench, tokens, 8, 2)
        x, out = bench.take((tokens, hidden)), poisoned((tokens, hidden), bench.device, bench.half)
        run_experts(x, weights, ids, layer, ExpertsWorkspace(layer, tokens, 2, config.rows, bench.half), out, config)
        tolerance = max(bench.fp8_tolerance, FP8_TOLERANCE) if dtype == "fp8" else 1e-2
        require_close(f"experts {dtype}", out, experts_reference(x, weights, ids, layer), tolerance)


def _expected_touched(shape: dict[str, int], tokens: int) -> float:
    miss = max(0.0, 1 - shape["topK"] / shape["numExperts"]) ** tokens
    return shape["numLocalExperts"] * (1 - miss)


def _guess_us(shape: dict[str, int], tokens: int, dtype: str) -> float:
    numbers = 3 * shape["hiddenSize"] * shape["intermediateSize"]
    flops = 2 * tokens * shape["topK"] * numbers
    weight_bytes = _expected_touched(shape, tokens) * numbers * (1 if dtype == "fp8" else 2)
    return 20.0 + max(flops * GUESS_US_PER_FLOP, weight_bytes * GUESS_US_PER_BYTE)
