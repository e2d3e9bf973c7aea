import { engineConfigSchema, samplingConfigSchema } from "../../src/core/config/engineConfig.js";
import { parseConfig } from "../../src/core/config/parseConfig.js";
import { createServer, type Deployment } from "../../src/core/engine/createServer.js";
import { explainStep, parseBatch } from "../../src/core/engine/explainStep.js";
import { createEfficiencyKernelModel } from "../../src/core/kernels/efficiencyKernelModel.js";
import { transferEfficiency } from "../../src/core/kernels/transferEfficiency.js";
import { loadGpu, loadGpuEfficiency } from "../../src/io/catalog.js";
import { loadDeployment } from "../../src/io/loadDeployment.js";

/**
 * What it costs to have no measurements of a GPU: prices engine steps on each fitted GPU with another one's
 * efficiencies transferred to it, and compares with its own.
 */
const FITTED_GPUS = ["H100", "H200", "A100-80", "L40S", "B200"];
const MODELS = ["meta-llama/Llama-3.1-8B", "Qwen/Qwen3-14B"];
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
    const errors = MODELS.flatMap((model) => stepErrors(model, target, source));
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

function gpuUs(deployment: Deployment, batch: string): number {
  // KV blocks do not matter to one step; a fixed number lets every GPU hold every batch.
  const engine = parseConfig(engineConfigSchema, { numGpuBlocksOverride: 65536, maxModelLen: 8192 }, "engine");
  const server = createServer(deployment, engine, parseConfig(samplingConfigSchema, {}, "sampling"));
  return explainStep(server, parseBatch(batch)).gpuUs;
}

function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}
