import { describe, expect, it } from "vitest";
import { achievedFractions } from "../../../../../src/core/kernels/characterization/achievedFractions.js";
import { createEfficiencyKernelModel } from "../../../../../src/core/kernels/efficiencyKernelModel.js";
import { type Operator, operatorBytes } from "../../../../../src/core/model/operator.js";
import { loadGpu, loadGpuEfficiency } from "../../../../../src/io/catalog.js";
import { dimsOperator } from "../../../../reference/dimsOperator.js";

const FITTED = ["H100", "H200", "A100-80", "L40S", "B200"];

describe("achievedFractions", () => {
  it.each(FITTED)("are what large memory-bound kernels of %s are priced at", (id) => {
    const gpu = loadGpu(id);
    const efficiency = loadGpuEfficiency(id)!;
    const model = createEfficiencyKernelModel(gpu, efficiency, "modelled");
    const rate = (operator: Operator) =>
      operatorBytes(operator) / (model.price(operator).us / 1e6) / gpu.memory.bandwidthBytesPerS;
    const product = dimsOperator({ category: "gemm", m: 1, k: 8192, n: 57_344, weightDtype: "bf16" });
    const decode = dimsOperator({
      category: "attention-decode",
      ...{ numHeads: 32, numKvHeads: 8, headDim: 128, kvDtype: "bf16", slidingWindow: 0 },
      ...{ numRequests: 32, sumContextTokens: 32 * 8192, maxContextTokens: 8192 },
    });
    const fractions = achievedFractions(efficiency);
    // Launches and waves, and shape corrections that differ between large shapes, remain.
    expect(Math.abs(rate(product) / fractions.sequential - 1)).toBeLessThan(0.04);
    expect(Math.abs(rate(decode) / fractions.scattered - 1)).toBeLessThan(0.12);
    expect(fractions.mixed).toBe(efficiency.prefillAttention.bf16.memoryEfficiency);
  });

  it("are the bare constants where there are no shape corrections", () => {
    const efficiency = loadGpuEfficiency("H100")!;
    const { gemm, decodeAttention } = efficiency;
    const bare = {
      ...efficiency,
      gemm: { ...gemm, bf16: { ...gemm.bf16, surface: null } },
      decodeAttention: { ...decodeAttention, bf16: { ...decodeAttention.bf16, groupSurface: null } },
    };
    const { sequential, scattered } = achievedFractions(bare);
    expect(sequential).toBe(gemm.bf16.memoryEfficiency);
    expect(scattered).toBe(decodeAttention.bf16.memoryEfficiency);
  });
});
