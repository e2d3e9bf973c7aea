import * as z from "zod";
import { VLLM_VERSIONS } from "./vllmVersion.js";

const positiveInt = (max: number) => z.number().int().min(1).max(max);

/**
 * What `vllm serve` is told. Types, defaults and help come from this one object;
 * null means "as vLLM would choose" and is filled in when the GPU and the model are known.
 */
export const engineConfigSchema = z.strictObject({
  vllmVersion: z.enum(VLLM_VERSIONS).default("0.15").describe("vLLM version whose scheduling is simulated"),
  tensorParallelSize: positiveInt(64).default(1).describe("GPUs the model is sharded over"),
  maxNumSeqs: positiveInt(65_536)
    .nullable()
    .default(null)
    .describe("upper bound of running requests; default 1024 on ≥ 70 GiB GPUs other than A100, else 256"),
  maxNumBatchedTokens: positiveInt(4_194_304)
    .nullable()
    .default(null)
    .describe("token budget of one engine step; default 8192 on ≥ 70 GiB GPUs other than A100, else 2048"),
  maxModelLen: positiveInt(16_777_216)
    .nullable()
    .default(null)
    .describe("longest prompt plus output in tokens; default from the model's config"),
  blockSize: positiveInt(1024).default(16).describe("tokens per KV block"),
  gpuMemoryUtilization: z.number().gt(0).max(1).default(0.9).describe("fraction of GPU memory vLLM may use"),
  numGpuBlocksOverride: positiveInt(10_000_000)
    .nullable()
    .default(null)
    .describe("KV blocks per GPU, in place of the number computed from memory"),
  enablePrefixCaching: z.boolean().default(true).describe("reuse KV blocks of equal prompt prefixes"),
  enableChunkedPrefill: z.boolean().default(true).describe("split prompts that exceed the step's token budget"),
  longPrefillTokenThreshold: z
    .number()
    .int()
    .min(0)
    .max(16_777_216)
    .default(0)
    .describe("most tokens one request may get in a step; 0 = no limit"),
  schedulingPolicy: z.enum(["fcfs", "priority"]).default("fcfs").describe("order of the waiting queue"),
  asyncScheduling: z
    .boolean()
    .nullable()
    .default(null)
    .describe("schedule the next step while this one runs; default on from vLLM 0.14"),
  dtype: z
    .enum(["auto", "bfloat16", "float16", "half", "bf16", "fp16"])
    .default("auto")
    .describe("type of activations and of weights that are not quantised; auto = the checkpoint's"),
  quantization: z
    .enum(["fp8", "awq", "gptq"])
    .nullable()
    .default(null)
    .describe("weight quantisation; default as the checkpoint says"),
  kvCacheDtype: z
    .enum(["auto", "bfloat16", "fp8", "fp8_e4m3", "fp8_e5m2"])
    .default("auto")
    .describe("KV cache type; auto = the model's dtype"),
});

export type EngineConfig = z.output<typeof engineConfigSchema>;

/** Sampling settings of the requests; they decide whether vLLM sorts the logits. */
export const samplingConfigSchema = z.strictObject({
  topP: z
    .number()
    .gt(0)
    .max(1)
    .nullable()
    .default(null)
    .describe("nucleus sampling; below 1 vLLM sorts the logits; default from the model's generation_config"),
  topK: z
    .number()
    .int()
    .min(-1)
    .max(1_000_000)
    .nullable()
    .default(null)
    .describe("top-k sampling; ≥ 1 makes vLLM sort the logits; -1 and 0 = off; default from generation_config"),
  temperature: z.number().min(0).max(100).nullable().default(null).describe("0 = greedy: no sampling kernels"),
});

export type SamplingConfig = z.output<typeof samplingConfigSchema>;
