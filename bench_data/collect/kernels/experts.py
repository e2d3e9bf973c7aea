"""Routed experts of one layer: pairs sorted by expert, two grouped products, outputs summed by token."""

from __future__ import annotations

from dataclasses import dataclass

import torch

from kernels.backend import HAS_TRITON, cdiv, next_power_of_2, tl, triton
from kernels.elementwise import quantize, quantize_reference, silu_mul

SORT_BLOCK = 1024
# Blocks of rows that go over the same weights together; their inputs, 16 MB at most, stay in the L2 cache meanwhile.
BLOCKS_SHARING_WEIGHTS = 16


@triton.jit(do_not_specialize=["num_pairs"])
def count_pairs_kernel(ids, counts, places, num_pairs, BLOCK: tl.constexpr):
    """places[pair] = how many pairs of its expert came before it; counts [experts] must be 0."""
    pairs = tl.program_id(0) * BLOCK + tl.arange(0, BLOCK)
    exists = pairs < num_pairs
    expert = tl.load(ids + pairs, mask=exists, other=0)
    place = tl.atomic_add(counts + expert, 1, mask=exists)
    tl.store(places + pairs, place, mask=exists)


@triton.jit(do_not_specialize=["num_experts"])
def lay_out_kernel(counts, starts, expert_of_block, num_experts, ROWS: tl.constexpr, EXPERTS: tl.constexpr):
    """Gives each expert whole blocks of ROWS rows, one expert after the other; one program an expert."""
    expert = tl.program_id(0)
    experts = tl.arange(0, EXPERTS)
    count = tl.load(counts + experts, mask=experts < num_experts, other=0)
    blocks = (count + ROWS - 1) // ROWS
    first = tl.sum(tl.where(experts < expert, blocks, 0), axis=0)
    own = tl.sum(tl.where(experts == expert, blocks, 0), axis=0)
    tl.store(starts + expert, first * ROWS)
    for block in range(0, own):
        tl.store(expert_of_block + first + block, expert)


@triton.jit(do_not_specialize=["num_pairs"])
def place_pairs_kernel(ids, starts, places, rows, num_pairs, BLOCK: tl.constexpr):
    """rows[start of the pair's expert + its place] = pair."""
    pairs = tl.program_id(0) * BLOCK + tl.arange(0, BLOCK)
    exists = pairs < num_pairs
    expert = tl.load(ids + pairs, mask=exists, other=0)
    start = tl.load(starts + expert, mask=exists, other=0)
    place = tl.load(places + pairs, mask=exists, other=0)
    tl.store(rows + start + place, pairs, mask=exists)


@triton.jit(do_not_specialize=["num_pairs", "pairs_per_a_row"])
def grouped_product_kernel(
    a, b, c, a_scales, b_scales, pair_weights, rows, expert_of_block, num_pairs, n, k, pairs_per_a_row,
    ROWS: tl.constexpr, COLUMNS: tl.constexpr, DEPTH: tl.constexpr, SHARING: tl.constexpr,
    IS_FP8: tl.constexpr, IS_WEIGHTED: tl.constexpr, IS_EVEN: tl.constexpr,
):  # fmt: skip
    """
    c[pair] = a[pair // pairs_per_a_row] @ b[expert of the pair].T, times the pair's weight if IS_WEIGHTED.
    a [*, k], b [experts, n, k], c [num_pairs, n]; rows as laid out, num_pairs where a row of a block is empty.
    """
    # Programs that run at the same time share weights: SHARING blocks of rows take the same columns one after the other.
    num_column_blocks = tl.cdiv(n, COLUMNS)
    num_blocks = tl.num_programs(0) // num_column_blocks
    first = tl.program_id(0) // (SHARING * num_column_blocks) * SHARING
    sharing = tl.minimum(num_blocks - first, SHARING)
    turn = tl.program_id(0) - first * num_column_blocks
    block = first + turn % sharing
    column_block = turn // sharing
    expert = tl.load(expert_of_block + block)
    if expert < 0:
        return
    pair = tl.load(rows + block * ROWS + tl.arange(0, ROWS))
    is_pair = pair < num_pairs
    a_row = tl.where(is_pair, pair // pairs_per_a_row, 0).to(tl.int64)
    column = column_block * COLUMNS + tl.arange(0, COLUMNS)
    is_column = column < n
    depth = tl.arange(0, DEPTH)
    a_places = a + a_row[:, None] * k + depth[None, :]
    b_places = b + expert.to(tl.int64) * n * k + column[None, :].to(tl.int64) * k + depth[:, None]
    total = tl.zeros([ROWS, COLUMNS], dtype=tl.float32)
    for start in range(0, k, DEPTH):
        if IS_EVEN:
            left = tl.load(a_places + start, mask=is_pair[:, None], other=0.0)
            right = tl.load(b_places + start, mask=is_column[None, :], other=0.0)
        else:
            left = tl.load(a_places + start, mask=is_pair[:, None] & (start + depth[None, :] < k), other=0.0)
            right = tl.load(b_places + start, mask=is_column[None, :] & (start + depth[:, None] < k), other=0.0)
        total = tl.dot(left, right, total)
    if IS_FP8:
        total *= tl.load(a_scales + a_row, mask=is_pair, other=0.0)[:, None]
        total *= tl.load(b_scales + expert.to(tl.int64) * n + column, mask=is_column, other=0.0)[None, :]
    if IS_WEIGHTED:
        total *= tl.load(pair_weights + pair, mask=is_pair, other=0.0)[:, None]
    c_places = c + pair[:, None].to(tl.int64) * n + column[None, :]
    tl.store(c_places, total.to(c.dtype.element_ty), mask=is_pair[:, None] & is_column[None, :])


@dataclass(frozen=True)
class ExpertsConfig:
    """Tile sizes of the grouped product."""

    rows: int
    columns: int
    depth: int
    num_warps: int
    num_stages: int

    def __str__(self) -> str:
        return f"triton grouped r{self.rows} c{self.columns} d{self.depth} w{self.num_warps} s{self.num_stages}"


# By rows of a block, which follow the pairs per expert: fewer waste no tensor core work, more read weights once.
CONFIGS = {
    16: [ExpertsConfig(16, 128, 64, 4, 4), ExpertsConfig(16, 64, 128, 4, 4)],
    32: [ExpertsConfig(32, 128, 64, 4, 4)],
    64: [ExpertsConfig(64, 128, 64, 4, 4), ExpertsConfig(64, 256, 64, 8, 3)],
    128: [ExpertsConfig(128, 128, 64, 8, 3), ExpertsConfig(128, 256, 64, 8, 3)],
}


def block_rows(num_pairs: int, num_experts: int) -> int:
    """Rows of a block for so many pairs: the next size above the mean number of an expert."""
    mean = num_pairs / num_experts
    return next((rows for rows in CONFIGS if mean <= rows), max(CONFIGS))


@dataclass
class Experts:
    """Weights of one layer's experts; fp8 ones with a float32 scale per output row."""

    gate_up: torch.Tensor  # [experts, 2 * intermediate, hidden]
    down: torch.Tensor  # [experts, hidden, intermediate]
    gate_up_scales: torch.Tensor  # [experts, 2 * intermediate]; any for bf16
    down_scales: torch.Tensor  # [experts, hidden]

    @property
    def is_fp8(self) -> bool:
        return self.gate_up.dtype == torch.float8_e4m3fn


class ExpertsWorkspace:
    """What a run of the experts parks between its launches."""

    def __init__(self, experts: Experts, num_tokens: int, top_k: int, rows: int, dtype: torch.dtype) -> None:
        device = experts.down.device
        num_experts, hidden, intermediate = experts.down.shape
        num_pairs = num_tokens * top_k
        self.num_pairs, self.top_k, self.rows_per_block = num_pairs, top_k, rows
        # Blocks that are not full: one an expert at most, and never more blocks than pairs.
        self.max_blocks = min(num_pairs, cdiv(num_pairs + num_experts * (rows - 1), rows))
        self.counts = torch.zeros(num_experts, dtype=torch.int32, device=device)
        self.starts = torch.zeros(num_experts, dtype=torch.int32, device=device)
        self.places = torch.zeros(num_pairs, dtype=torch.int32, device=device)
        self.rows = torch.zeros(self.max_blocks * rows, dtype=torch.int32, device=device)
        self.expert_of_block = torch.zeros(self.max_blocks, dtype=torch.int32, device=device)
        self.gate_up = torch.empty((num_pairs, 2 * intermediate), dtype=dtype, device=device)
        self.activated = torch.empty((num_pairs, intermediate), dtype=dtype, device=device)
        self.pair_outputs = torch.empty((num_pairs, hidden), dtype=dtype, device=device)
        self.quantized: torch.Tensor | None = None
        if experts.is_fp8:
            self.quantized = torch.empty((num_tokens, hidden), dtype=torch.float8_e4m3fn, device=device)
            self.quantized_scales = torch.empty((num_tokens, 1), dtype=torch.float32, device=device)
            self.activated_fp8 = torch.empty((num_pairs, intermediate), dtype=torch.float8_e4m3fn, device=device)
            self.activated_scales = torch.empty((num_pairs, 1), dtype=torch.float32, device=device)


def run_experts(
    x: torch.Tensor, pair_weights: torch.Tensor, ids: torch.Tensor, experts: Experts,
    workspace: ExpertsWorkspace, out: torch.Tensor, config: ExpertsConfig,
) -> None:  # fmt: skip
    """out [tokens, hidden] = sum of each token's experts; pair_weights float32 and ids int32, both [tokens, top_k]."""
    if not HAS_TRITON:
        out.copy_(experts_reference(x, pair_weights, ids, experts))
        return
    work = workspace
    _sort_pairs(ids, work, experts.down.shape[0])
    left, left_scales = x, experts.gate_up_scales
    if work.quantized is not None:
        quantize(x, work.quantized, work.quantized_scales)
        left, left_scales = work.quantized, work.quantized_scales
    _grouped_product(
        left, left_scales, experts.gate_up, experts.gate_up_scales, None, work, work.gate_up, work.top_k, config
    )
    silu_mul(work.gate_up, work.activated)
    left, left_scales = work.activated, experts.down_scales
    if work.quantized is not None:
        quantize(work.activated, work.activated_fp8, work.activated_scales)
        left, left_scales = work.activated_fp8, work.activated_scales
    _grouped_product(
        left, left_scales, experts.down, experts.down_scales, pair_weights, work, work.pair_outputs, 1, config
    )
    torch.sum(work.pair_outputs.view(x.shape[0], work.top_k, -1), dim=1, out=out)


def _sort_pairs(ids: torch.Tensor, work: ExpertsWorkspace, num_experts: int) -> None:
    work.counts.zero_()
    work.rows.fill_(work.num_pairs)
    work.expert_of_block.fill_(-1)
    grid = (cdiv(work.num_pairs, SORT_BLOCK),)
    count_pairs_kernel[grid](ids, work.counts, work.places, work.num_pairs, BLOCK=SORT_BLOCK)
    lay_out_kernel[(num_experts,)](
        work.counts, work.starts, work.expert_of_block, num_experts,
        ROWS=work.rows_per_block, EXPERTS=next_power_of_2(num_experts), num_warps=1,
    )  # fmt: skip
    place_pairs_kernel[grid](ids, work.starts, work.places, work.rows, work.num_pairs, BLOCK=SORT_BLOCK)


def _grouped_product(
    left: torch.Tensor, left_scales: torch.Tensor, right: torch.Tensor, right_scales: torch.Tensor,
    pair_weights: torch.Tensor | None, work: ExpertsWorkspace, out: torch.Tensor, pairs_per_row: int,
    config: ExpertsConfig,
) -> None:  # fmt: skip
    _, n, k = right.shape
    grouped_product_kernel[(work.max_blocks * cdiv(n, config.columns),)](
        left, right, out, left_scales, right_scales, left_scales if pair_weights is None else pair_weights,
        work.rows, work.expert_of_block, work.num_pairs, n, k, pairs_per_row,
        ROWS=config.rows, COLUMNS=config.columns, DEPTH=config.depth, SHARING=BLOCKS_SHARING_WEIGHTS,
        IS_FP8=right.dtype == torch.float8_e4m3fn, IS_WEIGHTED=pair_weights is not None, IS_EVEN=k % config.depth == 0,
        num_warps=config.num_warps, num_stages=config.num_stages,
    )  # fmt: skip


def experts_reference(x: torch.Tensor, pair_weights: torch.Tensor, ids: torch.Tensor, experts: Experts) -> torch.Tensor:
    """[tokens, hidden] float64, expert by expert; rounded and quantised between the products as the kernels do."""
    out = torch.zeros(x.shape, dtype=torch.float64, device=x.device)
    for expert in range(experts.down.shape[0]):
        token, slot = torch.where(ids == expert)
        if token.numel() == 0:
            continue
        gate_up = _product_reference(x[token], experts.gate_up[expert], experts.gate_up_scales[expert])
        gate, up = gate_up.to(x.dtype).double().chunk(2, dim=-1)
        activated = (torch.nn.functional.silu(gate) * up).to(x.dtype)
        outputs = _product_reference(activated, experts.down[expert], experts.down_scales[expert])
        out.index_add_(0, token, outputs * pair_weights[token, slot].double()[:, None])
    return out


def _product_reference(left: torch.Tensor, right: torch.Tensor, right_scales: torch.Tensor) -> torch.Tensor:
    if right.dtype != torch.float8_e4m3fn:
        return left.double() @ right.double().T
    quantized, scales = quantize_reference(left)
    return (quantized.double() @ right.double().T) * scales.double() * right_scales.double()[None, :]
