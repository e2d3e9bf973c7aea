import { describe, expect, it } from "vitest";
import {
  fitMlaDecode,
  isMlaDecodeResident,
  mlaDecodePredictor,
} from "../../../../../src/core/kernels/fit/fitMlaDecode.js";
import { mapePercent } from "../../../../../src/core/kernels/fit/measuredRow.js";
import { gpuRoofs } from "../../../../../src/core/kernels/gpuRoofs.js";
import { loadGpu, loadGpuEfficiency } from "../../../../../src/io/catalog.js";

const gpu = loadGpu("H200");
const roofs = gpuRoofs(gpu);
/** Another GPU's ways on H200's roofs. */
const truth = loadGpuEfficiency("B200")!.mla!.decode.bf16;
const predictTruth = mlaDecodePredictor(truth, roofs, "bf16");
const rows = [1, 4, 16, 64, 128, 256, 512, 1024].flatMap((requests) =>
  [32, 256, 1024, 4096, 16_384, 65_536].flatMap((context) =>
    [1, 8, 16, 32, 64, 128].map((heads) => {
      const row = { dims: [requests, context, heads], us: 0, shapeKey: `${heads}` };
      return { ...row, us: predictTruth(row) };
    }),
  ),
);

describe("a fit of attention over latents", () => {
  it("finds kernels that are known again", () => {
    const fit = fitMlaDecode(rows, roofs, 0, "bf16");
    expect(mapePercent(rows, predictTruth)).toBe(0);
    expect(mapePercent(rows, mlaDecodePredictor(fit, roofs, "bf16"))).toBeLessThan(2);
    expect(Math.abs(fit.launchUs / truth.launchUs - 1)).toBeLessThan(0.2);
  });

  it("keeps a launch that is given", () => {
    expect(fitMlaDecode(rows, roofs, 0, "bf16", 33).launchUs).toBe(33);
  });

  it("calls latents resident that fit into L2 and are more than next to nothing", () => {
    const at = (requests: number, context: number) => ({ dims: [requests, context, 16], us: 1, shapeKey: "" });
    const { l2Bytes } = gpu.memory;
    expect(isMlaDecodeResident(at(1, 100), l2Bytes, "bf16")).toBe(false);
    expect(isMlaDecodeResident(at(8, 2048), l2Bytes, "bf16")).toBe(true);
    expect(isMlaDecodeResident(at(128, 4096), l2Bytes, "bf16")).toBe(false);
  });
});
