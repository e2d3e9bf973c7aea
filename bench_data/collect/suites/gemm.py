"""Dense products: every (k, n) that built-in models need, bf16 and fp8, and a few measured another way."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import torch

from buffers import poisoned
from cases import Case, Cell, KernelRefused, Work
from kernels.elementwise import quantize, quantize_reference
from workbench import Workbench, require_close

# The first models' shapes at these sizes come first; tables interpolate between sizes in log-log.
COARSE_TOKENS = [1, 8, 16, 32, 64, 128, 256, 512, 1024, 2048, 4096, 8192]
# Where tiles and splits of the library change, so that interpolation is worst.
FINE_TOKENS = [2, 4, 24, 48, 96, 160, 192, 224, 384, 768, 1536, 3072, 6144, 16384]
FIRST_MODELS = 6
# LM heads run over one row a request that yields a token: vLLM's default is 256 to 1024 requests at most.
MAX_SAMPLED_ROWS = 1024
# 2 GiB of bf16: inputs and outputs larger than this are no step's.
MAX_ELEMENTS = 1 << 30
VARIANT_SHAPES = [(4096, 6144), (4096, 28672), (14336, 4096), (2048, 4096), (1024, 4096)]
VARIANT_TOKENS = [1, 16, 64, 256, 2048]
VARIANTS = ["reused-weights", "zeros", "product-only", "per-tensor"]
# Repeated for a second, after which the card has the clocks that its power limit leaves it; `gemm` has them in bursts.
SUSTAINED = {"m": 8192, "k": 4096, "n": 28672}
SUSTAINED_US = 1e6
NUM_LOOKS = 2
QUANTIZED = "per-token included"
GUESS_US_PER_FLOP = 1 / 600e6
GUESS_US_PER_BYTE = 1 / 3.0e6


class GemmSuite:
    """`gemm/<gpu>/data.csv`."""

    name = "gemm"

    def __init__(self, bench: Workbench) -> None:
        self.bench = bench

    def cases(self) -> Iterable[Case]:
        for shape in self.bench.shapes.matrices:
            first = self.bench.tier_of(shape, FIRST_MODELS)
            for tokens, tier in ((COARSE_TOKENS, first), (FINE_TOKENS, first + 2)):
                for dtype in ("bf16", "fp8"):
                    for m in self.bench.some(tokens):
                        if is_wanted(shape, m, dtype):
                            key: dict[str, Cell] = {"m": m, "k": shape["k"], "n": shape["n"], "dtype": dtype}
                            yield Case(
                                self.name, f"gemm/{self.bench.gpu}/data.csv", key, tier, _guess_s(key), part=dtype
                            )

    def prepare(self, case: Case) -> None:
        check_product(self.bench, case.part)

    def build(self, case: Case) -> Work:
        m, k, n = (int(case.key[name]) for name in ("m", "k", "n"))
        work = product(self.bench, m, k, n, str(case.key["dtype"]))
        work.cells["quantization"] = QUANTIZED if case.key["dtype"] == "fp8" else ""
        return work

    def release(self) -> None:
        pass


def is_wanted(shape: dict[str, Any], m: int, dtype: str) -> bool:
    """Whether a step can ask for the product, and the library for fp8 knows it: sizes in multiples of 16."""
    k, n = shape["k"], shape["n"]
    if m * max(k, n) > MAX_ELEMENTS or (shape["isSampledOnly"] and m > MAX_SAMPLED_ROWS):
        return False
    return dtype == "bf16" or (shape["isQuantized"] and n % 16 == 0 and k % 16 == 0)


class GemmVariantsSuite:
    """`gemm_variants/<gpu>/data.csv`: the same product measured as others do, to explain why tables differ."""

    name = "gemm_variants"

    def __init__(self, bench: Workbench) -> None:
        self.bench = bench

    def cases(self) -> Iterable[Case]:
        shapes = VARIANT_SHAPES if not self.bench.is_rehearsal else [(64, 32)]
        for variant in VARIANTS:
            for k, n in shapes:
                for m in self.bench.some(VARIANT_TOKENS):
                    dtype = "bf16" if variant in ("reused-weights", "zeros") else "fp8"
                    yield self._case({"variant": variant, "m": m, "k": k, "n": n, "dtype": dtype})
        m, k, n = SUSTAINED.values() if not self.bench.is_rehearsal else (8, 64, 32)
        for dtype in ("bf16", "fp8"):
            yield self._case({"variant": "sustained", "m": m, "k": k, "n": n, "dtype": dtype})

    def _case(self, key: dict[str, Cell]) -> Case:
        guess_s = _guess_s(key) + (NUM_LOOKS * 1e-6 * SUSTAINED_US if key["variant"] == "sustained" else 0.0)
        table = f"gemm_variants/{self.bench.gpu}/data.csv"
        return Case(self.name, table, key, 1, guess_s, part=str(key["dtype"]))

    def prepare(self, case: Case) -> None:
        check_product(self.bench, case.part)

    def build(self, case: Case) -> Work:
        m, k, n = (int(case.key[name]) for name in ("m", "k", "n"))
        variant = str(case.key["variant"])
        work = product(self.bench, m, k, n, str(case.key["dtype"]), variant)
        work.sustained_us = SUSTAINED_US if variant == "sustained" else 0.0
        return work

    def release(self) -> None:
        pass


def product(bench: Workbench, m: int, k: int, n: int, dtype: str, variant: str = "") -> Work:
    """`[m,k] x [k,n]`, weights as [n,k] like a linear layer's, on inputs rotated past the L2 cache."""
    element_bytes = 1 if dtype == "fp8" else bench.half_bytes
    activation_bytes = m * (k + n) * bench.half_bytes
    bytes_per_set = k * n * element_bytes + activation_bytes
    sets = 1 if variant == "reused-weights" else bench.pools.rotation(bytes_per_set)
    estimate_us = 2.0 + max(2 * m * k * n * GUESS_US_PER_FLOP, bytes_per_set * GUESS_US_PER_BYTE)
    make = _fp8_call if dtype == "fp8" else _half_call
    calls = [make(bench, m, k, n, variant) for _ in range(sets)]
    kernel = f"torch._scaled_mm {torch.version.cuda}" if dtype == "fp8" else f"cuBLAS {torch.version.cuda}"
    return Work(calls, estimate_us, {"kernel": kernel, "working_set_bytes": sets * bytes_per_set})


def _half_call(bench: Workbench, m: int, k: int, n: int, variant: str) -> Callable[[], object]:
    x, weight, out = bench.take((m, k)), bench.take((n, k)), bench.new((m, n))
    if variant == "zeros":
        x, weight = torch.zeros_like(x), torch.zeros_like(weight)
    return lambda: torch.mm(x, weight.t(), out=out)


def _fp8_call(bench: Workbench, m: int, k: int, n: int, variant: str) -> Callable[[], object]:
    layer = fp8_layer(bench, m, k, n)
    if variant == "per-tensor":
        one = torch.ones((), dtype=torch.float32, device=bench.device)
        return lambda: _scaled_mm(layer, one, one)
    if variant == "product-only":
        quantize(layer["x"], layer["x8"], layer["scales"])
        return lambda: scaled_product(layer)

    def call() -> None:
        quantize(layer["x"], layer["x8"], layer["scales"])
        scaled_product(layer)

    return call


def fp8_layer(bench: Workbench, m: int, k: int, n: int) -> dict[str, Any]:
    """A quantised layer, its input and room for what it parks. x8 holds sound numbers before it is written first."""
    return {
        "x": bench.take((m, k)),
        "x8": bench.pools.take((m, k), torch.float8_e4m3fn).clone(),
        "scales": bench.new((m, 1), torch.float32).fill_(1.0),
        "weight": bench.pools.take((n, k), torch.float8_e4m3fn),
        "weight_scales": torch.ones((1, n), dtype=torch.float32, device=bench.device),
        "out": bench.new((m, n)),
    }


def scaled_product(layer: dict[str, Any]) -> None:
    _scaled_mm(layer, layer["scales"], layer["weight_scales"])


def _scaled_mm(layer: dict[str, Any], scales: torch.Tensor, weight_scales: torch.Tensor) -> None:
    """One scale per row of x8 and per row of weight [n,k], or one each. Into room of its own: a capture allocates none."""
    x8, weight, out = layer["x8"], layer["weight"], layer["out"]
    if x8.device.type == "cpu":
        out.copy_((x8.float() * scales) @ (weight.float().t() * weight_scales))
        return
    torch._scaled_mm(
        x8, weight.t(), scale_a=scales, scale_b=weight_scales, out_dtype=out.dtype, use_fast_accum=True, out=out
    )


def check_product(bench: Workbench, dtype: str) -> None:
    """KernelRefused where the library's product is wrong."""
    m, k, n = (48, 512, 256) if not bench.is_rehearsal else (5, 64, 32)
    if dtype == "bf16":
        x, weight, out = bench.take((m, k)), bench.take((n, k)), poisoned((m, n), bench.device, bench.half)
        torch.mm(x, weight.t(), out=out)
        require_close("bf16 product", out, x.double() @ weight.double().t())
        return
    layer = fp8_layer(bench, m, k, n)
    layer["weight_scales"] = torch.rand((1, n), device=bench.device) + 0.5
    try:
        quantize(layer["x"], layer["x8"], layer["scales"])
        layer["out"].fill_(float("nan"))
        scaled_product(layer)
    except RuntimeError as error:
        raise KernelRefused(f"fp8 product: {str(error).splitlines()[0]}") from error
    x8, scales = quantize_reference(layer["x"])
    reference = (x8.double() @ layer["weight"].double().t()) * scales.double() * layer["weight_scales"].double()
    require_close("fp8 product", layer["out"], reference, bench.fp8_tolerance)


def _guess_s(key: dict[str, Cell]) -> float:
    """Captured, warmed and looked at twice: some 20 replays of at least two runs each."""
    return 0.04 + 2e-6 * 40 * int(key["m"]) * int(key["k"]) * int(key["n"]) * GUESS_US_PER_FLOP
