import * as z from "zod";
import { engineConfigSchema, samplingConfigSchema } from "../config/engineConfig.js";
import { pricingConfigSchema } from "../config/pricingConfig.js";
import { workloadConfigSchema } from "../workload/workloadConfig.js";

/** Everything a run is made from; the resolved form is embedded in the result and reproduces it. */
export const runConfigSchema = z.strictObject({
  model: z
    .string()
    .min(1)
    .default("meta-llama/Llama-3.1-8B-Instruct")
    .describe("Hugging Face id of a built-in model, or path to a config.json"),
  gpu: z.string().min(1).default("H100").describe("id of a built-in GPU, or path to a GPU spec (JSON)"),
  benchData: z
    .string()
    .min(1)
    .nullable()
    .default(null)
    .describe("folder of kernel tables to price with; kernels without rows keep the efficiency model"),
  engine: engineConfigSchema.prefault({}).describe("what `vllm serve` is told"),
  sampling: samplingConfigSchema.prefault({}).describe("sampling settings of the requests"),
  pricing: pricingConfigSchema.prefault({}).describe("what prices a step, and what corrects the prices"),
  workload: workloadConfigSchema.describe("requests: when they come and what they ask"),
  seed: z
    .number()
    .int()
    .min(0)
    .max(2 ** 31 - 1)
    .default(42)
    .describe("seed of every random draw"),
});

export type RunConfig = z.output<typeof runConfigSchema>;
