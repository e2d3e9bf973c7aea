import { createEfficiencyKernelModel } from "../../src/core/kernels/efficiencyKernelModel.js";
import { transferEfficiency } from "../../src/core/kernels/transferEfficiency.js";
import { loadGpu, loadGpuEfficiency } from "../../src/io/catalog.js";
import { loadDeployment } from "../../src/io/loadDeployment.js";
import { FITTED_GPUS, gpuUs, STEP_MODELS } from "./pricedSteps.js";

/**
 * What it costs to have no measurements of a GPU: prices engine steps on each fitted GPU with another one's
 * efficiencies transferred to it, and compares with its own.
 */
const BATCHES = [
  "decode:1@1024",
  "decode:32@1024",
  "decode:128@2048",
  "prefill:2048@0",
  "decode:32@1024,prefill:512@0",
];

process.stdout.write("priced GPU | efficiencies of | mean |error| % | mean error % | largest %\n");
for (const target of FITTED_GPUS) {
  for (const source of FITTED_GPUS) {
    if (source === target) continue;
    const errors = STEP_MODELS.flatMap((model) => stepErrors(model, target, source));
    const sizes = errors.map(Math.abs);
    const cells = [mean(sizes), mean(errors), Math.max(...sizes)].map((error) => (100 * error).toFixed(1));
    process.stdout.write(`${[target, source, ...cells].join(" | ")}\n`);
  }
}

/** Relative error of each batch's GPU time, priced with transferred efficiencies. */
function stepErrors(model: string, target: string, source: string): number[] {
  const gpu = loadGpu(target);
  const efficiency = loadGpuEfficiency(source);
  if (efficiency === null) throw new Error(`${source}: no fitted efficiencies`);
  const transferred = transferEfficiency(efficiency, gpu);
  const own = loadDeployment({ model, gpu: target });
  const borrowed = { ...own, kernelModel: createEfficiencyKernelModel(gpu, transferred, "transferred") };
  return BATCHES.map((batch) => gpuUs(borrowed, batch) / gpuUs(own, batch) - 1);
}

function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}
