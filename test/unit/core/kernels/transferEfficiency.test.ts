import { describe, expect, it } from "vitest";
import { createEfficiencyKernelModel } from "../../../../src/core/kernels/efficiencyKernelModel.js";
import { gpuEfficiencySchema } from "../../../../src/core/kernels/gpuEfficiency.js";
import { transferEfficiency, transferSource } from "../../../../src/core/kernels/transferEfficiency.js";
import type { OperatorDims } from "../../../../src/core/model/operator.js";
import { loadGpu, loadGpuCatalog, loadGpuEfficiency } from "../../../../src/io/catalog.js";
import { dimsOperator } from "../../../reference/dimsOperator.js";

const H100 = loadGpuEfficiency("H100")!;
const DECODE_GEMM = { category: "gemm", m: 32, k: 8192, n: 8192, weightDtype: "bf16" } as const;
const PREFILL_GEMM = { ...DECODE_GEMM, m: 8192 };

function us(gpuId: string, from: string, dims: OperatorDims, slowdown = 1): number {
  const gpu = loadGpu(gpuId);
  const efficiency = transferEfficiency(loadGpuEfficiency(from)!, gpu, slowdown);
  return createEfficiencyKernelModel(gpu, efficiency, "transferred").price(dimsOperator(dims)).us;
}

describe("transferEfficiency", () => {
  it("changes no price when the target is the source", () => {
    const gpu = loadGpu("H100");
    const own = createEfficiencyKernelModel(gpu, H100, "modelled").price(dimsOperator(DECODE_GEMM)).us;
    expect(us("H100", "H100", DECODE_GEMM)).toBeCloseTo(own, 9);
  });

  it("yields a valid description for every built-in GPU", () => {
    for (const gpu of loadGpuCatalog()) {
      const { gpu: relative, slowdown } = transferSource(gpu);
      const source = loadGpuEfficiency(relative);
      expect(source, gpu.id).not.toBeNull();
      expect(gpuEfficiencySchema.safeParse(transferEfficiency(source!, gpu, slowdown)).success, gpu.id).toBe(true);
    }
  });

  it("follows the datasheet: bandwidth for decode, FLOP/s for prefill", () => {
    const ratio = (dims: OperatorDims) => us("H20", "H100", dims) / us("H100", "H100", dims);
    const h20 = loadGpu("H20");
    const h100 = loadGpu("H100");
    expect(ratio(PREFILL_GEMM)).toBeCloseTo(h100.compute.bf16FlopsPerS / h20.compute.bf16FlopsPerS, 0);
    expect(ratio({ ...DECODE_GEMM, m: 1 })).toBeLessThan(1);
  });

  it("reproduces the study's finding: H100 efficiencies make A100 decode 10–35 % too fast, less with a slowdown", () => {
    const gpu = loadGpu("A100-80");
    const own = createEfficiencyKernelModel(gpu, loadGpuEfficiency("A100-80")!, "modelled");
    const ownUs = own.price(dimsOperator(DECODE_GEMM)).us;
    const ratio = us("A100-80", "H100", DECODE_GEMM) / ownUs;
    expect(ratio).toBeGreaterThan(0.65);
    expect(ratio).toBeLessThan(0.9);
    expect(Math.abs(us("A100-80", "H100", DECODE_GEMM, 1.2) / ownUs - 1)).toBeLessThan(Math.abs(ratio - 1));
  });

  it("drops fp8 compute on a chip without it", () => {
    expect(transferEfficiency(H100, loadGpu("A100-80")).gemm.fp8).toBeNull();
  });

  it("makes PCIe all-reduces slower than NVLink's", () => {
    const dims = { category: "collective", collective: "all-reduce", numRanks: 4, messageBytes: 1e6 } as const;
    expect(us("H100-PCIe", "H100", dims)).toBeGreaterThan(2 * us("H100", "H100", dims));
  });
});

describe("a target that differs from its source in one rate", () => {
  const h100 = loadGpu("H100");
  const { bandwidthBytesPerS } = h100.memory;
  const { bf16FlopsPerS } = h100.compute;
  const doubleBandwidth = { ...h100, memory: { ...h100.memory, bandwidthBytesPerS: 2 * bandwidthBytesPerS } };
  const doubleCompute = { ...h100, compute: { ...h100.compute, bf16FlopsPerS: 2 * bf16FlopsPerS } };
  const own = H100.prefillAttention.bf16;
  const [firstPs] = own.headTokenPs as [number];
  const arithmeticPs = (headTokenPs: readonly number[]) => headTokenPs.map((ps) => ps - headTokenPs[0]!);

  function expectSeries(actual: readonly number[], expected: readonly number[]): void {
    expect(actual.length).toBe(expected.length);
    for (const [i, value] of expected.entries()) expect(actual[i]).toBeCloseTo(value, 6);
  }

  it("has attention to scale: its arithmetic grows with the context", () => {
    expect(own.headTokenPs.at(-1)).toBeGreaterThan(2 * firstPs);
  });

  it("sorts logits and moves queries, keys and values twice as fast at twice the bandwidth", () => {
    const { sampler, prefillAttention } = transferEfficiency(H100, doubleBandwidth);
    expect(sampler.sortPsPerLogit).toBeCloseTo(H100.sampler.sortPsPerLogit / 2, 6);
    expect(sampler.sortLaunchUs).toBe(H100.sampler.sortLaunchUs);
    const { headTokenPs, kvHeadTokenPs } = prefillAttention.bf16;
    expect(kvHeadTokenPs).toBeCloseTo(own.kvHeadTokenPs / 2, 6);
    expect(headTokenPs[0]).toBeCloseTo(firstPs / 2, 6);
    expectSeries(arithmeticPs(headTokenPs), arithmeticPs(own.headTokenPs));
  });

  it("does attention's arithmetic, and nothing else of it, twice as fast at twice the FLOP/s", () => {
    const { sampler, prefillAttention } = transferEfficiency(H100, doubleCompute);
    expect(sampler.sortPsPerLogit).toBeCloseTo(H100.sampler.sortPsPerLogit, 6);
    const { headTokenPs, kvHeadTokenPs } = prefillAttention.bf16;
    expect(kvHeadTokenPs).toBeCloseTo(own.kvHeadTokenPs, 6);
    expect(headTokenPs[0]).toBeCloseTo(firstPs, 6);
    const halved = arithmeticPs(own.headTokenPs).map((ps) => ps / 2);
    expectSeries(arithmeticPs(headTokenPs), halved);
  });

  it("does all of it slower by the slowdown", () => {
    const { sampler, prefillAttention } = transferEfficiency(H100, h100, 1.25);
    expect(sampler.sortPsPerLogit).toBeCloseTo(1.25 * H100.sampler.sortPsPerLogit, 6);
    expect(prefillAttention.bf16.kvHeadTokenPs).toBeCloseTo(1.25 * own.kvHeadTokenPs, 6);
    const slower = own.headTokenPs.map((ps) => 1.25 * ps);
    expectSeries(prefillAttention.bf16.headTokenPs, slower);
  });
});

describe("transferSource", () => {
  it("takes the nearest relative", () => {
    const from = (id: string) => transferSource(loadGpu(id)).gpu;
    expect(["H800", "H20", "A100-40", "L4", "A10G", "RTX4090", "GB200"].map(from)).toEqual([
      "H100",
      "H100",
      "A100-80",
      "L40S",
      "L40S",
      "L40S",
      "B200",
    ]);
  });

  it("judges an unknown GPU by its link and its fp8 support", () => {
    const unknown = { ...loadGpu("A100-80"), id: "X1" };
    expect(transferSource(unknown).gpu).toBe("A100-80");
    expect(transferSource({ ...unknown, interconnect: loadGpu("L4").interconnect }).gpu).toBe("L40S");
  });
});
