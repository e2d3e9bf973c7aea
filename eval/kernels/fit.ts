/**
 * Regenerates bench_data/efficiency/<GPU>.json from a checkout of NVIDIA's aiconfigurator and prints the errors.
 *
 *   npx tsx eval/kernels/fit.ts --data ../shared/kernel_data/aiconfigurator
 *   npx tsx eval/kernels/fit.ts --data ../shared/kernel_data/aiconfigurator --gpu H100 --dry-run
 */
import { readFileSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { parseGpuSpec } from "../../src/core/hardware/gpuSpecSchema.js";
import { type GpuEfficiency, gpuEfficiencySchema } from "../../src/core/kernels/gpuEfficiency.js";
import { efficiencyText } from "../../src/io/benchData/efficiencyFile.js";
import { loadKernelEfficiency } from "../../src/io/kernelEfficiency.js";
import { fitGpu } from "./fitGpu.js";
import { GPU_FIT_PLANS } from "./gpuFitPlan.js";

const ROOT = fileURLToPath(new URL("../../", import.meta.url));

const { values } = parseArgs({
  options: { data: { type: "string" }, gpu: { type: "string" }, "dry-run": { type: "boolean", default: false } },
});
if (values.data === undefined) throw new Error("--data: missing; give the folder of an aiconfigurator checkout");
const plans = GPU_FIT_PLANS.filter(({ gpu }) => gpu.toLowerCase() === (values.gpu ?? gpu).toLowerCase());
if (plans.length === 0) {
  throw new Error(`--gpu: got ${values.gpu}; must be one of ${GPU_FIT_PLANS.map(({ gpu }) => gpu).join(", ")}`);
}

for (const plan of plans) {
  const hardwarePath = `${ROOT}configs/hardware/${plan.hardwareFile}`;
  const gpu = parseGpuSpec(JSON.parse(readFileSync(hardwarePath, "utf8")), hardwarePath);
  const { efficiency: fitted, outcomes } = await fitGpu(values.data, plan, gpu, loadKernelEfficiency(gpu).fit);
  const efficiency = gpuEfficiencySchema.parse(fitted);
  for (const { family, dtype, keptBecause } of outcomes) {
    if (keptBecause !== null) process.stderr.write(`${plan.gpu} ${family} ${dtype}: not fitted: ${keptBecause}\n`);
  }
  if (!values["dry-run"]) {
    writeFileSync(`${ROOT}bench_data/efficiency/${plan.gpu}.json`, efficiencyText(efficiency));
  }
  process.stdout.write(formatReport(efficiency));
}

function formatReport(efficiency: GpuEfficiency): string {
  const lines = efficiency.fits.map((fit) => {
    const buckets = fit.buckets.map(({ bucket, mapePercent }) => `${bucket}: ${mapePercent}`).join(", ");
    const numbers = [fit.numRows, fit.mapePercent, fit.heldOutMapePercent, fit.mapeAllRowsPercent].join(" | ");
    return `| ${efficiency.gpu} | ${fit.family} | ${fit.dtype} | ${fit.table} | ${numbers} | ${buckets} |\n`;
  });
  return lines.join("");
}
