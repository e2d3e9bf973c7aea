"""Steps of whole models: ground truth for the step model. And the launch gap between the kernels of their layers."""

from __future__ import annotations

import functools
import gc
import re
from collections.abc import Callable, Iterable
from typing import Any

import torch

from cases import Case, Cell, Work
from kernels.experts import block_rows
from suites import experts, prefill
from suites.decode import BLOCK_SIZE
from suites.model import Model, layer_bytes
from suites.step import Request, Step
from suites.step_reference import reference_logits
from workbench import Workbench, require_close

DECODE_BATCHES = [1, 8, 32, 64, 128, 256]
DECODE_CONTEXTS = [512, 2048, 8192, 32000]
PREFILLS = ["128@0", "256@0", "512@0", "1024@0", "2048@0", "4096@0", "8192@0", "512@4096", "2048@8192", "2048@30000"]
MIXED = [
    "decode:8@1024,prefill:256@0",
    "decode:32@2048,prefill:512@0",
    "decode:64@1024,prefill:2048@0",
    "decode:64@4096,prefill:512@4096",
    "decode:128@1024,prefill:2048@2048",
    "decode:16@512,prefill:1024@0,prefill:1024@0",
    "decode:16@512,decode:16@4096",
]
REHEARSAL_BATCHES = ["decode:2@20", "prefill:7@0", "decode:3@9,prefill:5@12"]
# Of the GPU's memory: weights leave room for a KV cache.
WEIGHT_FRACTION = 0.55
# Left for activations, graphs and what CUDA keeps.
SPARE_BYTES = 8 << 30
STEP_TOLERANCE = 3e-2
GUESS_BYTES_PER_US = 2.0e6
GUESS_FLOPS_PER_US = 450e6


class WholeStepSuite:
    """`whole_step/<gpu>.json`."""

    name = "whole_step"

    def __init__(self, bench: Workbench) -> None:
        self.bench = bench
        self._model: Model | None = None
        self._checked_model: str | None = None

    def cases(self) -> Iterable[Case]:
        for shape in self.bench.shapes.models:
            num_layers = layers_that_fit(self.bench, shape)
            for batch in self._batches():
                requests = parse_batch(batch)
                if _kv_bytes(self.bench, shape, num_layers, requests) > kv_capacity_bytes(
                    self.bench, shape, num_layers
                ):
                    continue
                guess_s = 0.3 + 15e-6 * _guess_us(shape, num_layers, requests)
                key: dict[str, Cell] = {"model": shape["id"], "layers": num_layers, "batch": batch}
                part = ", ".join([shape["id"], *needed_choices(self.bench, shape, requests)])
                yield Case(self.name, f"whole_step/{self.bench.gpu}.json", key, 0, guess_s, shape, part)

    def _batches(self) -> list[str]:
        if self.bench.is_rehearsal:
            return REHEARSAL_BATCHES
        decodes = [f"decode:{size}@{context}" for context in DECODE_CONTEXTS for size in DECODE_BATCHES]
        return decodes + [f"prefill:{chunk}" for chunk in PREFILLS] + MIXED

    def prepare(self, case: Case) -> None:
        shape = case.shape
        if self._checked_model != shape["id"]:
            # The model of the rows before leaves no room for a check.
            self.release()
            check_step(self.bench, shape)
            self._checked_model = shape["id"]
        for choose in needed_choices(self.bench, shape, parse_batch(str(case.key["batch"]))).values():
            choose()

    def build(self, case: Case) -> Work:
        shape, num_layers = case.shape, int(case.key["layers"])
        # Steps and their kernels refer to each other: nothing else frees the last but one.
        gc.collect()
        if self._model is None or self._model.shape["id"] != shape["id"]:
            self.release()
            self._model = full_model(self.bench, shape, num_layers)
        requests = parse_batch(str(case.key["batch"]))
        step = Step(self._model, requests)
        cells: dict[str, Any] = {
            "modelLayers": shape["numLayers"],
            "weightDtype": "bf16",
            "kvDtype": "bf16",
            "blockSize": BLOCK_SIZE,
            "tensorParallelSize": 1,
            "sampling": "greedy",
            "requests": _grouped(requests),
            "sampledTokens": len(requests),
            "paddedTokens": step.num_tokens,
            "kernels": step.kernel_names,
            "numKernels": len(step.kernels),
        }
        return Work([step.run], _guess_us(shape, num_layers, requests), cells)

    def release(self) -> None:
        self._model = None
        gc.collect()
        if self.bench.device.type == "cuda":
            torch.cuda.empty_cache()


class LaunchGapSuite:
    """Rows of suite `launch_gap` in `characterization/<gpu>/data.csv`."""

    name = "launch_gap"
    REPEATS = 3
    LAYERS = (4, 8, 16, 24)
    BATCH = "decode:16@1024"

    def __init__(self, bench: Workbench) -> None:
        self.bench = bench
        self._steps: dict[int, Step] = {}

    def cases(self) -> Iterable[Case]:
        for repeat in range(self.REPEATS if not self.bench.is_rehearsal else 1):
            for num_layers in (1, 2) if self.bench.is_rehearsal else self.LAYERS:
                for order in ("grouped", "interleaved"):
                    key: dict[str, Cell] = {
                        "suite": "launch_gap", "pattern": order, "bytes": "", "block_bytes": "",
                        "kernels": self._kernels_per_layer() * num_layers, "repeat": repeat,
                    }  # fmt: skip
                    table = f"characterization/{self.bench.gpu}/data.csv"
                    yield Case(self.name, table, key, 0, 0.2, {"layers": num_layers})

    def _kernels_per_layer(self) -> int:
        """As roofserve counts them: attention with its KV write is one."""
        shape = self.bench.shapes.models[0]
        return 10 if shape["hasQkNorm"] else 9

    def prepare(self, case: Case) -> None:
        check_step(self.bench, self.bench.shapes.models[0])

    def build(self, case: Case) -> Work:
        num_layers, is_grouped = int(case.shape["layers"]), case.key["pattern"] == "grouped"
        kernels = self._step(num_layers).layer_kernels()
        if len(kernels) != case.key["kernels"]:
            raise AssertionError(f"{len(kernels)} kernels in {num_layers} layers, expected {case.key['kernels']}")
        kinds = list(dict.fromkeys(kernel.kind for kernel in kernels))
        if is_grouped:
            # Sorting keeps the layers' order within a kind.
            kernels = sorted(kernels, key=lambda kernel: kinds.index(kernel.kind))
        handover_us = 1.0 if not is_grouped else 0.0
        estimate_us = (5.0 + handover_us) * len(kernels)
        calls = [lambda: [kernel.call() for kernel in kernels]]
        return Work(
            calls, estimate_us, {"kernel": "layers of " + self.bench.shapes.models[0]["id"], "working_set_bytes": ""}
        )

    def _step(self, num_layers: int) -> Step:
        if num_layers not in self._steps:
            shape = self.bench.shapes.models[0]
            batch = "decode:2@20" if self.bench.is_rehearsal else self.BATCH
            requests = parse_batch(batch)
            if not self._steps:
                blocks = sum(request.context_tokens // BLOCK_SIZE + 1 for request in requests)
                self._whole = Model(
                    self.bench, shape, max(self.LAYERS) if not self.bench.is_rehearsal else 2, 2 * blocks
                )
            part = Model.__new__(Model)
            part.__dict__.update(self._whole.__dict__)
            part.layers = self._whole.layers[:num_layers]
            self._steps[num_layers] = Step(part, requests)
        return self._steps[num_layers]

    def release(self) -> None:
        self._steps.clear()
        self.__dict__.pop("_whole", None)


def parse_batch(text: str) -> list[Request]:
    """`decode:REQUESTS@CONTEXT,prefill:NEW_TOKENS@CONTEXT`, as `roofserve step --batch` reads it."""
    requests: list[Request] = []
    for part in text.split(","):
        match = re.fullmatch(r"(decode|prefill):(\d+)@(\d+)", part)
        if match is None:
            raise ValueError(f"{part} must look like decode:REQUESTS@CONTEXT or prefill:NEW_TOKENS@CONTEXT")
        count, context = int(match[2]), int(match[3])
        requests += [Request(1, context, True)] * count if match[1] == "decode" else [Request(count, context, False)]
    return requests


def needed_choices(bench: Workbench, shape: dict[str, Any], requests: list[Request]) -> dict[str, Callable[[], object]]:
    """What has to be chosen for a step, by name: the kernels of its kinds of prompts, and of its experts."""
    choices: dict[str, Callable[[], object]] = {}
    for new, context in {(r.new_tokens, r.context_tokens) for r in requests if not r.is_decode}:
        name = prefill.kind_of(bench, new, context).name
        choices[name] = functools.partial(prefill.implementation_of, bench, shape["headDim"], new, context)
    if shape["moe"] is not None:
        pairs = sum(request.new_tokens for request in requests) * shape["moe"]["numExpertsPerToken"]
        rows = block_rows(pairs, shape["moe"]["numExperts"])
        choices[f"blocks of {rows} rows"] = functools.partial(experts.config_of, bench, rows, "bf16")
    return dict(sorted(choices.items()))


def layers_that_fit(bench: Workbench, shape: dict[str, Any]) -> int:
    """All layers, or as many as leave room for a KV cache."""
    if bench.is_rehearsal:
        return 2
    embeddings = 2 * shape["vocabSize"] * shape["hiddenSize"] * bench.half_bytes
    room = WEIGHT_FRACTION * bench.memory_bytes - embeddings
    return max(1, min(int(shape["numLayers"]), int(room // layer_bytes(shape, bench.half_bytes))))


def kv_capacity_bytes(bench: Workbench, shape: dict[str, Any], num_layers: int) -> float:
    """Memory left for the KV cache beside weights and pools."""
    if bench.is_rehearsal:
        return float(1 << 24)
    embeddings = 2 * shape["vocabSize"] * shape["hiddenSize"] * bench.half_bytes
    weights = embeddings + num_layers * layer_bytes(shape, bench.half_bytes)
    return bench.memory_bytes - weights - 1.5 * bench.pools.num_bytes - SPARE_BYTES


def full_model(bench: Workbench, shape: dict[str, Any], num_layers: int) -> Model:
    block_bytes = 2 * num_layers * BLOCK_SIZE * shape["numKvHeads"] * shape["headDim"] * bench.half_bytes
    num_blocks = int(kv_capacity_bytes(bench, shape, num_layers) // block_bytes)
    return Model(bench, shape, num_layers, min(num_blocks, 64) if bench.is_rehearsal else num_blocks)


def check_step(bench: Workbench, shape: dict[str, Any]) -> None:
    """KernelRefused where a small mixed step of few layers does not give the logits that float64 gives."""
    contexts = (
        "decode:3@20,prefill:9@0,prefill:5@11" if bench.is_rehearsal else "decode:3@700,prefill:90@0,prefill:50@300"
    )
    # Experts of one layer only are known to the reference.
    step = Step(Model(bench, shape, 1 if shape["moe"] else 2, 300), parse_batch(contexts))
    step.run()
    require_close(f"step of {shape['id']}", step.logits, reference_logits(step), STEP_TOLERANCE)


def _grouped(requests: list[Request]) -> list[dict[str, Any]]:
    """Equal requests counted, in the order of the batch."""
    groups: dict[Request, int] = {}
    for request in requests:
        groups[request] = groups.get(request, 0) + 1
    return [
        {"count": n, "newTokens": r.new_tokens, "contextTokens": r.context_tokens, "isDecode": r.is_decode}
        for r, n in groups.items()
    ]


def _kv_bytes(bench: Workbench, shape: dict[str, Any], num_layers: int, requests: list[Request]) -> float:
    tokens = sum(-(-(request.context_tokens + request.new_tokens) // BLOCK_SIZE) * BLOCK_SIZE for request in requests)
    return 2.0 * num_layers * tokens * shape["numKvHeads"] * shape["headDim"] * bench.half_bytes


def _guess_us(shape: dict[str, Any], num_layers: int, requests: list[Request]) -> float:
    moe = shape["moe"]
    tokens = sum(request.new_tokens for request in requests)
    read = layer_bytes(shape, 2) * num_layers
    kv = (
        sum(r.context_tokens + r.new_tokens for r in requests) * 4 * num_layers * shape["numKvHeads"] * shape["headDim"]
    )
    active = read if moe is None else read * min(1.0, 2 * moe["numExpertsPerToken"] / moe["numExperts"])
    return 1000.0 + (read + kv) / GUESS_BYTES_PER_US + active * tokens / GUESS_FLOPS_PER_US
