"""Causal attention of new tokens behind cached ones, KV write included."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

import torch

from buffers import poisoned, relative_error
from cases import Case, Cell, KernelRefused, Work
from kernels.elementwise import kv_write
from kernels.prefill_attention import Implementation, PrefillBatch, implementations, prefill_attention_reference
from workbench import HALF_TOLERANCE, Workbench, one_line

WHOLE_PROMPTS = [16, 64, 128, 256, 512, 1024, 2048, 4096, 8192, 16384, 32768]
CHUNK_NEW = [128, 512, 2048, 8192]
CHUNK_CACHED = [1024, 4096, 16384, 65536]
BATCHED_PROMPTS = [128, 512, 2048]
BATCHES = [4, 16]
# The end of a prompt that was cut into chunks, and the least that a fit knows.
LAST_TOKENS = 1
FIRST_MODELS = 6
GUESS_US_PER_FLOP = 1 / 300e6
# Up to so many new tokens attention is a small part of a step, and a chunk has few programs unless its context is split.
FEW_TOKENS = 512
# What cuDNN takes to build a plan for a shape: 0.4 s and more have been reported of H20 and B200.
GUESS_PLAN_S = 0.45
REHEARSAL_FEW_TOKENS = 6
DID_NOT_COME_BACK = "did not come back"
# One query head per KV head, a few, and many.
CHECKED_HEADS = [(4, 4), (8, 2), (8, 1)]


class PrefillSuite:
    """`mha/prefill/<gpu>/<heads>-<kvheads>-<dim>.csv`."""

    name = "prefill"

    def __init__(self, bench: Workbench) -> None:
        self.bench = bench

    def cases(self) -> Iterable[Case]:
        sizes = [(new, 1, 0) for new in self.bench.some(WHOLE_PROMPTS)]
        sizes += [
            (new, 1, cached)
            for new in [LAST_TOKENS, *CHUNK_NEW]
            for cached in CHUNK_CACHED
            if not self.bench.is_rehearsal
        ]
        sizes += [(new, batch, 0) for new in BATCHED_PROMPTS for batch in BATCHES if not self.bench.is_rehearsal]
        if self.bench.is_rehearsal:
            sizes += [(10, 1, 23), (LAST_TOKENS, 1, 23), (9, 2, 0)]
        for shape in self.bench.shapes.heads:
            heads, kv_heads, dim = shape["numHeads"], shape["numKvHeads"], shape["headDim"]
            table = f"mha/prefill/{self.bench.gpu}/{heads}-{kv_heads}-{dim}.csv"
            tier = self.bench.tier_of(shape, FIRST_MODELS)
            for new, batch_size, cached in sizes:
                kind = kind_of(self.bench, new, cached)
                plans_s = GUESS_PLAN_S * (kind.num_plans or 0)
                guess_s = 0.06 + plans_s + 30e-6 * _guess_us(shape, new, batch_size, cached)
                key: dict[str, Cell] = {
                    "dtype": "bf16",
                    "seq_len": new,
                    "batch_size": batch_size,
                    "context_len": cached,
                }
                is_rare = new > 16384 or cached > 16384
                part = f"{dim}, {kind.name}"
                yield Case(self.name, table, key, tier + 1 if is_rare else tier, guess_s, shape, part)

    def prepare(self, case: Case) -> None:
        implementation_of(
            self.bench, int(case.shape["headDim"]), int(case.key["seq_len"]), int(case.key["context_len"])
        )

    def build(self, case: Case) -> Work:
        new, batch_size, cached = (int(case.key[name]) for name in ("seq_len", "batch_size", "context_len"))
        return prefill_work(self.bench, case.shape, new, batch_size, cached)

    def release(self) -> None:
        pass


@dataclass(frozen=True)
class Kind:
    """Prompts that one implementation serves: new tokens, prompts and cached tokens to check and to choose it on."""

    name: str
    checked: tuple[tuple[int, int, int], ...]
    chosen_on: tuple[int, int]
    # Plans that cuDNN builds for every shape anew; it is not asked where None, because a row's gain is not worth them.
    num_plans: int | None


# Ragged, and as few tokens as tables and checked steps have of the kind. A whole prompt is never a single token, which
# cuDNN refuses. Chunks of few tokens need kernels that split the context to use the whole GPU.
SHORT = Kind("short whole prompts", ((333, 2, 0), (16, 1, 0), (90, 1, 0)), (256, 0), None)
WHOLE = Kind("whole prompts", ((600, 2, 0), (1030, 1, 0)), (2048, 0), 1)
FEW = Kind("few tokens behind a context", ((1, 1, 1000), (50, 1, 300), (200, 2, 777)), (256, 4096), None)
CHUNK = Kind("behind a context", ((600, 2, 1000), (1030, 1, 300)), (2048, 4096), 2)
REHEARSAL_KINDS = {
    SHORT: Kind(SHORT.name, ((3, 2, 0),), (4, 0), None),
    WHOLE: Kind(WHOLE.name, ((9, 2, 0),), (8, 0), 1),
    FEW: Kind(FEW.name, ((1, 2, 23),), (2, 8), None),
    CHUNK: Kind(CHUNK.name, ((9, 2, 23),), (8, 8), 2),
}


def kind_of(bench: Workbench, new: int, cached: int) -> Kind:
    """The kind of equal prompts of so many new tokens, behind so many cached ones each."""
    is_few = new <= (REHEARSAL_FEW_TOKENS if bench.is_rehearsal else FEW_TOKENS)
    kind = (SHORT if is_few else WHOLE) if cached == 0 else FEW if is_few else CHUNK
    return REHEARSAL_KINDS[kind] if bench.is_rehearsal else kind


def right_implementations(bench: Workbench, dim: int, kind: Kind) -> dict[str, Implementation]:
    """Implementations that are right on all shapes that are checked; found once a folder."""
    found = implementations(dim, bench.device, with_plans=kind.num_plans is not None)
    what = f"prefill attention, head size {dim}, {kind.name}: errors"
    errors = bench.tuned.setdefault(what, {}).setdefault("errors", {})
    for name, run in found.items():
        if name not in errors or errors[name] == DID_NOT_COME_BACK:
            # On the disk before it is tried: one that takes the GPU down is not tried a third time. Once may have been the
            # end of somebody's patience.
            errors[name] = f"{DID_NOT_COME_BACK} twice" if name in errors else DID_NOT_COME_BACK
            bench.save()
            errors[name] = _error_of(bench, run, dim, kind)
            bench.require_alive(f"{what}: {name}")
    return {
        name: run
        for name, run in found.items()
        if isinstance(errors.get(name), float) and errors[name] <= HALF_TOLERANCE
    }


def _error_of(bench: Workbench, run: Implementation, dim: int, kind: Kind) -> float | str:
    """The largest relative error, or why it does not run."""
    errors = []
    for heads, kv_heads in CHECKED_HEADS:
        shape = {"numHeads": heads, "numKvHeads": kv_heads, "headDim": dim}
        for new, batch_size, cached in kind.checked:
            batch = prefill_batch(bench, shape, new, batch_size, cached)
            # As a step has it: Q in the rows of the fused projection.
            qkv = bench.take((batch_size, new, (heads + 2 * kv_heads) * dim))
            batch.q = qkv[..., : heads * dim].unflatten(2, (heads, dim))
            try:
                errors.append(relative_error(run(batch), prefill_attention_reference(batch)))
            except Exception as problem:  # whatever a library throws, another may work
                return one_line(problem)
    return max(errors) if max(errors) < 1e30 else "not finite"


def implementation_of(bench: Workbench, dim: int, new: int, cached: int) -> tuple[str, Implementation]:
    """The fastest that is right for prompts of this kind, found once a folder; KernelRefused where none is."""
    kind = kind_of(bench, new, cached)
    right = right_implementations(bench, dim, kind)
    if not right:
        raise KernelRefused(f"prefill attention, head size {dim}, {kind.name}: no implementation gave the right result")
    shape = {"numHeads": 32, "numKvHeads": 8, "headDim": dim}
    chosen_new, chosen_cached = kind.chosen_on

    def build(name: str) -> Callable[[], Work]:
        return lambda: Work([_bound(right[name], prefill_batch(bench, shape, chosen_new, 1, chosen_cached))] * 2, 300.0)

    what = f"prefill attention, head size {dim}, {kind.name}"
    winner = bench.fastest(what, {name: build(name) for name in right})
    return winner, right[winner]


def prefill_batch(bench: Workbench, shape: dict[str, int], new: int, batch_size: int, cached: int) -> PrefillBatch:
    heads, kv_heads, dim = shape["numHeads"], shape["numKvHeads"], shape["headDim"]
    return PrefillBatch(
        q=bench.take((batch_size, new, heads, dim)),
        k=bench.take((batch_size, cached + new, kv_heads, dim)),
        v=bench.take((batch_size, cached + new, kv_heads, dim)),
        out=poisoned((batch_size, new, heads, dim), bench.device, bench.half),
    )


def prefill_work(bench: Workbench, shape: dict[str, int], new: int, batch_size: int, cached: int) -> Work:
    heads, kv_heads, dim = shape["numHeads"], shape["numKvHeads"], shape["headDim"]
    name, run = implementation_of(bench, dim, new, cached)
    bytes_per_set = batch_size * (2 * new * heads + 2 * (cached + new) * kv_heads) * dim * bench.half_bytes
    sets = bench.pools.rotation(bytes_per_set)
    calls = [_prefill_call(bench, shape, run, new, batch_size, cached) for _ in range(sets)]
    cells: dict[str, Cell] = {"kernel": f"kv_write + {name}", "working_set_bytes": sets * bytes_per_set}
    return Work(calls, 5.0 + _guess_us(shape, new, batch_size, cached), cells)


def _prefill_call(
    bench: Workbench, shape: dict[str, int], run: Implementation, new: int, batch_size: int, cached: int
) -> Callable[[], object]:
    """Writes the new tokens' KV behind the cached ones, then attends to all."""
    batch = prefill_batch(bench, shape, new, batch_size, cached)
    size = shape["numKvHeads"] * shape["headDim"]
    new_k, new_v = bench.take((batch_size * new, size)), bench.take((batch_size * new, size))
    prompts = torch.arange(batch_size, device=bench.device)[:, None] * (cached + new)
    slots = (prompts + cached + torch.arange(new, device=bench.device)[None, :]).reshape(-1).to(torch.int32)
    k_rows, v_rows = batch.k.view(-1, size), batch.v.view(-1, size)

    def call() -> None:
        kv_write(new_k, new_v, k_rows, v_rows, slots)
        run(batch)

    return call


def _bound(run: Implementation, batch: PrefillBatch) -> Callable[[], object]:
    return lambda: run(batch)


def _guess_us(shape: dict[str, int], new: int, batch_size: int, cached: int) -> float:
    pairs = batch_size * (new * cached + new * (new + 1) / 2)
    return 4 * shape["numHeads"] * shape["headDim"] * pairs * GUESS_US_PER_FLOP
