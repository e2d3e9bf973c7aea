import { describe, expect, it } from "vitest";
import { attentionRows, gemmRows } from "../../../../eval/kernels/measuredRows.js";
import { decodePredictor, isDecodeResident } from "../../../../src/core/kernels/fit/fitDecodeAttention.js";
import { fitGemm, gemmPredictor, isGemmResident } from "../../../../src/core/kernels/fit/fitGemm.js";
import { isHeldOut, mapePercent } from "../../../../src/core/kernels/fit/measuredRow.js";
import { gpuRoofs } from "../../../../src/core/kernels/gpuRoofs.js";
import { loadGpu, loadGpuEfficiency } from "../../../../src/io/catalog.js";
import { sharedFile } from "../../../reference/sharedFile.js";

const DATA = sharedFile("kernel_data/aiconfigurator");
const TABLES = "0.14.0";

/** The shipped parameters against NVIDIA's tables of vLLM kernels, rows that ran from L2 apart. */
describe.skipIf(DATA === null)("shipped efficiencies against measured kernels (needs ../shared)", () => {
  it.each([
    ["H100", "h100_sxm", 6],
    ["A100-80", "a100_sxm", 10],
    ["L40S", "l40s", 10],
  ])("%s: bf16 GEMM and decode attention stay within the aim", async (gpuId, system, maxMapePercent) => {
    const gpu = loadGpu(gpuId);
    const roofs = gpuRoofs(gpu);
    const efficiency = loadGpuEfficiency(gpuId)!;
    const { l2Bytes } = gpu.memory;

    const gemms = (await gemmRows(DATA!, system, TABLES, "bf16")).rows;
    const streamedGemms = gemms.filter((row) => !isGemmResident(row, roofs, l2Bytes, "bf16"));
    expect(streamedGemms.length).toBeGreaterThan(5000);
    expect(mapePercent(streamedGemms, gemmPredictor(efficiency.gemm.bf16, roofs, "bf16"))).toBeLessThan(maxMapePercent);

    const decodes = (await attentionRows(DATA!, system, TABLES, "generation", "bf16")).rows;
    const streamedDecodes = decodes.filter((row) => !isDecodeResident(row, l2Bytes, "bf16"));
    expect(streamedDecodes.length).toBeGreaterThan(3000);
    const predictUs = decodePredictor(efficiency.decodeAttention.bf16, roofs, "bf16");
    expect(mapePercent(streamedDecodes, predictUs)).toBeLessThan(maxMapePercent);
  });

  it("refits to the shipped H100 GEMM parameters, and generalises to shapes it did not see", async () => {
    const gpu = loadGpu("H100");
    const roofs = gpuRoofs(gpu);
    const { rows } = await gemmRows(DATA!, "h100_sxm", TABLES, "bf16");
    expect(fitGemm(rows, roofs, gpu.memory.l2Bytes, "bf16")).toEqual(loadGpuEfficiency("H100")!.gemm.bf16);

    const seen = rows.filter((row) => !isHeldOut(row.shapeKey));
    const unseen = rows.filter(
      (row) => isHeldOut(row.shapeKey) && !isGemmResident(row, roofs, gpu.memory.l2Bytes, "bf16"),
    );
    const predictUs = gemmPredictor(fitGemm(seen, roofs, gpu.memory.l2Bytes, "bf16"), roofs, "bf16");
    expect(mapePercent(unseen, predictUs)).toBeLessThan(6);
  });

  it("never lets a row that ran from L2 raise the HBM efficiency: L40S small weights are slower than measured", async () => {
    const gpu = loadGpu("L40S");
    const roofs = gpuRoofs(gpu);
    const { rows } = await gemmRows(DATA!, "l40s", TABLES, "bf16");
    const predictUs = gemmPredictor(loadGpuEfficiency("L40S")!.gemm.bf16, roofs, "bf16");
    const fromL2 = rows.filter((row) => {
      const [m, n, k] = row.dims as [number, number, number];
      return m <= 16 && row.us < (2 * k * n) / roofs.bytesPerUs;
    });
    expect(fromL2.length).toBeGreaterThan(100);
    for (const row of fromL2) expect(predictUs(row)).toBeGreaterThan(row.us);
  });
});
