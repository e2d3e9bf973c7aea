import { describe, expect, it } from "vitest";
import type { GpuSpec } from "../../../../src/core/hardware/gpuSpec.js";
import { createEfficiencyKernelModel } from "../../../../src/core/kernels/efficiencyKernelModel.js";
import type { KernelModel } from "../../../../src/core/kernels/kernelModel.js";
import { transferEfficiency } from "../../../../src/core/kernels/transferEfficiency.js";
import { AdditiveStepModel } from "../../../../src/core/stepmodel/additiveStepModel.js";
import { DEFAULT_WAITS } from "../../../../src/core/stepmodel/stepWaits.js";
import { loadGpu, loadGpuEfficiency, loadModel } from "../../../../src/io/catalog.js";
import { type StepRows, stepUs, toBatch } from "../../../property/stepModelArbitraries.js";

const h100 = loadGpu("H100");
const efficiency = loadGpuEfficiency("H100")!;
const llama = loadModel("meta-llama/Llama-3.1-8B");

/** The H100 with all its peaks and links so many times higher. */
function faster(times: number): GpuSpec {
  const { memory, compute, interconnect } = h100;
  return {
    ...h100,
    memory: { ...memory, bandwidthBytesPerS: memory.bandwidthBytesPerS * times },
    compute: {
      ...compute,
      bf16FlopsPerS: compute.bf16FlopsPerS * times,
      fp8FlopsPerS: (compute.fp8FlopsPerS ?? 0) * times,
    },
    interconnect: { ...interconnect, bandwidthBytesPerS: interconnect.bandwidthBytesPerS * times },
  };
}

function stepModel(kernelModel: KernelModel, tensorParallelSize = 1, captureSizes: readonly number[] = []) {
  return new AdditiveStepModel({
    architecture: llama,
    parallelism: { tensorParallelSize },
    dtypes: { weightDtype: "bf16", kvDtype: "bf16" },
    sampling: { sortsLogits: false },
    kernelModel,
    captureSizes,
    waits: DEFAULT_WAITS,
  });
}

const onH100 = createEfficiencyKernelModel(h100, efficiency, "modelled");
const oneToken: StepRows = { decodeContexts: [1], chunks: [] };
const fullStep: StepRows = { decodeContexts: [4000, 4000], chunks: [{ newTokens: 8000, contextTokens: 0 }] };

describe("a step on a GPU of no limits", () => {
  it.each([1, 4])("costs its launches and waits, whatever it computes (TP %i)", (tensorParallelSize) => {
    const gpu = faster(1e9);
    const limitless = stepModel(
      createEfficiencyKernelModel(gpu, transferEfficiency(efficiency, gpu, 1), "transferred"),
      tensorParallelSize,
    );
    const real = stepModel(onH100, tensorParallelSize);
    expect(stepUs(real, fullStep) / stepUs(real, oneToken)).toBeGreaterThan(20);
    expect(stepUs(limitless, fullStep) / stepUs(limitless, oneToken)).toBeLessThan(1.15);
    for (const rows of [oneToken, { ...fullStep, chunks: [] }, { ...fullStep, decodeContexts: [] }]) {
      for (const { operator, us, price } of limitless.breakdown(toBatch(rows)).components) {
        // Shape corrections multiply the whole of a kernel, its launch included.
        expect(us, operator.name).toBeLessThanOrEqual(1.5 * price.launchUs * operator.count + 1e-3);
      }
    }
  });
});

describe("prefill and decode attention of one step", () => {
  const attentionUs = (rows: StepRows): number[] =>
    stepModel(onH100)
      .breakdown(toBatch(rows))
      .components.filter(({ operator }) => operator.dims.category.startsWith("attention-"))
      .map(({ us }) => us);

  it("share one launch", () => {
    const chunks = [{ newTokens: 512, contextTokens: 0 }];
    const decodeContexts = new Array<number>(64).fill(2000);
    const [prefill] = attentionUs({ decodeContexts: [], chunks }) as [number];
    const [decode] = attentionUs({ decodeContexts, chunks: [] }) as [number];
    const [first, second] = attentionUs({ decodeContexts, chunks }) as [number, number];
    expect(first).toBe(prefill);
    expect(second).toBeLessThan(decode);
    expect(decode - second).toBeLessThanOrEqual(32 * efficiency.prefillAttention.bf16.launchUs + 1e-9);
  });

  it("never share more than the launch: the KV cache must still be read", () => {
    const [, second] = attentionUs({ decodeContexts: [1], chunks: [{ newTokens: 1, contextTokens: 0 }] }) as number[];
    expect(second).toBeGreaterThan(0);
  });
});

describe("padding to CUDA graphs", () => {
  it("prices the linear layers at the graph's size and attention at the step's own", () => {
    const graph = stepModel(onH100, 1, [1, 8]);
    const five: StepRows = { decodeContexts: new Array<number>(5).fill(100), chunks: [] };
    const { numTokens, paddedTokens, components } = graph.breakdown(toBatch(five));
    expect([numTokens, paddedTokens]).toEqual([5, 8]);
    const dims = new Map(components.map(({ operator }) => [operator.name, operator.dims]));
    expect(dims.get("qkv_proj")).toMatchObject({ m: 8 });
    expect(dims.get("lm_head")).toMatchObject({ m: 5 });
    expect(dims.get("attention_decode")).toMatchObject({ numRequests: 5, sumContextTokens: 505 });
  });

  it("ends with the largest graph", () => {
    const nine: StepRows = { decodeContexts: new Array<number>(9).fill(100), chunks: [] };
    expect(stepModel(onH100, 1, [1, 8]).breakdown(toBatch(nine)).paddedTokens).toBe(9);
  });
});
