import { existsSync, rmSync } from "node:fs";
import { join } from "node:path";
import { createEfficiencyKernelModel } from "../../src/core/kernels/efficiencyKernelModel.js";
import { hasLatentAttention } from "../../src/core/model/layerKinds.js";
import { generateModelledTables } from "../../src/io/benchData/generateModelledTables.js";
import { loadGpu, loadGpuEfficiency, loadModelCatalog } from "../../src/io/catalog.js";

/** GPUs with efficiencies fitted to measurements; tables of the others would repeat these, transferred. */
export const TABLE_GPUS = ["H100", "H200", "A100-80", "L40S", "B200"] as const;

/** Table folders below `bench_data` that hold nothing but generated files, per GPU. */
const FAMILY_FOLDERS = [
  "gemm",
  "mha/prefill",
  "mha/decode",
  "grouped_gemm/prefill",
  "grouped_gemm/decode",
  "all_reduce",
];

/**
 * Writes the tables that ship in `bench_data`, after removing the old ones of the same GPUs.
 * @returns files written, relative to `outDir`
 */
export function generateShippedTables(outDir: string): string[] {
  const architectures = loadModelCatalog()
    .filter(({ id, baseId, architecture }) => id === baseId && !hasLatentAttention(architecture))
    .map(({ architecture }) => architecture);
  return TABLE_GPUS.flatMap((gpuId) => {
    const efficiency = loadGpuEfficiency(gpuId);
    if (efficiency === null) return [];
    for (const family of FAMILY_FOLDERS) {
      const folder = join(outDir, family, gpuId.toLowerCase());
      if (existsSync(folder)) rmSync(folder, { recursive: true });
    }
    const gpu = loadGpu(gpuId);
    return generateModelledTables(createEfficiencyKernelModel(gpu, efficiency, "modelled"), gpu, outDir, architectures);
  });
}
