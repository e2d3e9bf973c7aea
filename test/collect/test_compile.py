"""
Every Triton kernel compiled ahead of time for a Hopper GPU, with the argument properties that a launch gives it: no GPU
needed. What it must show is in the machine code: products on tensor cores, loads that run ahead of them.
"""

from __future__ import annotations

import importlib.util
import os
import sys
import unittest
from pathlib import Path
from typing import Any

COLLECT = Path(__file__).resolve().parents[2] / "bench_data" / "collect"
sys.path.insert(0, str(COLLECT))

CAN_COMPILE = (
    importlib.util.find_spec("triton") is not None
    and importlib.util.find_spec("torch") is not None
    and os.environ.get("TRITON_INTERPRET") != "1"
)
if CAN_COMPILE:
    import triton
    from triton.backends.compiler import GPUTarget
    from triton.compiler import ASTSource

    from kernels import decode_attention, elementwise, experts, memory, prefill_attention

HOPPER = 90
WARP_SIZE = 32
# Numbers that a launch sees to be multiples of 16: row lengths and distances between rows.
MULTIPLES_OF_16 = {
    "k", "n", "size", "stride", "q_stride", "k_stride", "out_stride", "q_batch", "k_batch", "out_batch"
}  # fmt: skip
FLOATS = {"epsilon", "scale_log2"}
HALF, FLOAT, FP8, INT, LONG = "bf16", "fp32", "fp8e4nv", "i32", "i64"


def compiled(kernel: Any, pointers: dict[str, str], constants: dict[str, Any], **options: int) -> str:
    """PTX of a kernel whose pointers, by name, point to these element types."""
    signature: dict[str, str] = {}
    properties: dict[tuple[int, ...], list[list[Any]]] = {}
    for i, name in enumerate(kernel.arg_names):
        if name in constants:
            signature[name] = "constexpr"
            continue
        is_pointer = name in pointers
        signature[name] = f"*{pointers[name]}" if is_pointer else FLOAT if name in FLOATS else INT
        if is_pointer or name in MULTIPLES_OF_16:
            properties[(i,)] = [["tt.divisibility", 16]]
    source = ASTSource(fn=kernel, signature=signature, constexprs=constants, attrs=properties)
    binary = triton.compile(source, target=GPUTarget("cuda", HOPPER, WARP_SIZE), options=options)
    assert binary.asm["cubin"], "no machine code"
    return str(binary.asm["ptx"])


@unittest.skipUnless(CAN_COMPILE, "Triton is not installed, or interpreting")
class CompileTest(unittest.TestCase):
    def test_reads_take_16_bytes_a_thread(self) -> None:
        pointers = {"source": INT, "order": INT, "sums": LONG}
        for pattern in memory.PATTERNS.values():
            constants = {"UNIT": 8192, "TILE": memory.TILE, "PATTERN": pattern}
            self.assertIn("ld.global.v4.b32", compiled(memory.read_units_kernel, pointers, constants, num_warps=4))

    def test_small_kernels_compile(self) -> None:
        small = elementwise
        kernels: list[tuple[Any, dict[str, str], dict[str, Any]]] = [
            (small.add_norm_kernel, dict.fromkeys(("x", "residual", "weight", "out"), HALF), {"BLOCK": 8192}),
            (small.qk_norm_kernel, dict.fromkeys(("qk", "q_weight", "k_weight"), HALF), {"DIM": 128, "HEADS": 64}),
            (small.rope_kernel, {"qk": HALF, "cos_sin": FLOAT, "positions": INT}, {"HALF": 64, "HEADS": 64}),
            (small.silu_mul_kernel, {"gate_up": HALF, "out": HALF}, {"BLOCK": small.SILU_BLOCK}),
            (small.gather_rows_kernel, {"table": HALF, "ids": INT, "out": HALF}, {"BLOCK": small.SILU_BLOCK}),
            (small.router_topk_kernel, {"logits": HALF, "weights": FLOAT, "ids": INT}, {"TOP_K": 8, "EXPERTS": 128}),
            (small.quantize_kernel, {"x": HALF, "out": FP8, "scales": FLOAT}, {"BLOCK": small.QUANTIZE_BLOCK}),
            (
                small.kv_write_kernel,
                {**dict.fromkeys(("k", "v", "k_cache", "v_cache"), HALF), "slots": INT},
                {"BLOCK": 1024},
            ),
            (experts.count_pairs_kernel, dict.fromkeys(("ids", "counts", "places"), INT), {"BLOCK": 1024}),
            (
                experts.lay_out_kernel,
                dict.fromkeys(("counts", "starts", "expert_of_block"), INT),
                {"ROWS": 16, "EXPERTS": 128},
            ),
            (experts.place_pairs_kernel, dict.fromkeys(("ids", "starts", "places", "rows"), INT), {"BLOCK": 1024}),
            (
                prefill_attention.merge_kernel,
                {"a": HALF, "b": HALF, "a_logs": FLOAT, "b_logs": FLOAT, "out": HALF},
                {"DIM": 128, "HEADS": 32},
            ),
            (
                decode_attention.decode_join_kernel,
                {"parts": FLOAT, "part_logs": FLOAT, "out": HALF},
                {"DIM": 128, "SPLITS": decode_attention.MAX_SPLITS},
            ),
        ]
        for kernel, pointers, constants in kernels:
            with self.subTest(kernel=kernel.fn.__name__):
                compiled(kernel, pointers, constants)

    def test_decode_attention_runs_ahead_of_its_tensor_cores(self) -> None:
        halves = dict.fromkeys(("q", "k_cache", "v_cache", "out"), HALF)
        pointers = {**halves, "block_table": INT, "kv_lens": INT, "parts": FLOAT, "part_logs": FLOAT}
        config = decode_attention.CONFIGS[0]
        for is_whole in (True, False):
            constants = {"DIM": 128, "GROUP": 16, "BLOCK_SIZE": 16, "TILE": config.tile, "IS_WHOLE": is_whole}
            options = {"num_warps": config.num_warps, "num_stages": config.num_stages}
            ptx = compiled(decode_attention.decode_split_kernel, pointers, constants, **options)
            self.assertIn("mma.sync", ptx)
            self.assertIn("cp.async", ptx)

    def test_prefill_attention_uses_hoppers_own_products_and_runs_ahead(self) -> None:
        config = prefill_attention.PrefillConfig(64, 64, 4, 3)
        constants = {"DIM": 128, "ROWS": config.rows, "TILE": config.tile}
        options = {"num_warps": config.num_warps, "num_stages": config.num_stages}
        pointers = dict.fromkeys(("q", "k", "v", "out"), HALF)
        ptx = compiled(prefill_attention.prefill_kernel, pointers, constants, **options)
        self.assertIn("wgmma", ptx)
        self.assertIn("cp.async", ptx)

    def test_grouped_products_use_hoppers_own_products_and_run_ahead(self) -> None:
        tables = {"a_scales": FLOAT, "b_scales": FLOAT, "pair_weights": FLOAT, "rows": INT, "expert_of_block": INT}
        for element, is_fp8 in ((HALF, False), (FP8, True)):
            for config in (experts.CONFIGS[16][0], experts.CONFIGS[64][0]):
                constants = {
                    "ROWS": config.rows, "COLUMNS": config.columns, "DEPTH": config.depth, "SHARING": 16,
                    "IS_FP8": is_fp8, "IS_WEIGHTED": True, "IS_EVEN": True,
                }  # fmt: skip
                options = {"num_warps": config.num_warps, "num_stages": config.num_stages}
                pointers = {"a": element, "b": element, "c": HALF, **tables}
                ptx = compiled(experts.grouped_product_kernel, pointers, constants, **options)
                self.assertIn("wgmma" if config.rows >= 64 else "mma.sync", ptx)
                self.assertIn("cp.async", ptx)


if __name__ == "__main__":
    unittest.main()
