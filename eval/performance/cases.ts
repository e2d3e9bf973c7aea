import { existsSync } from "node:fs";
import { join } from "node:path";
import { ScheduledBatch } from "../../src/core/batch/scheduledBatch.js";
import { mergeConfig } from "../../src/core/config/mergeConfig.js";
import { parseConfig } from "../../src/core/config/parseConfig.js";
import { createServer } from "../../src/core/engine/createServer.js";
import { runConfigSchema } from "../../src/core/engine/runConfig.js";
import { createWorkload } from "../../src/core/workload/createWorkload.js";
import { workloadFromSpecs } from "../../src/core/workload/specWorkload.js";
import { loadDeployment } from "../../src/io/loadDeployment.js";
import { readTrace } from "../../src/io/traces/readTrace.js";
import { loadWorkloadPreset, type WorkloadPreset } from "../../src/io/workloadPresets.js";
import type { BenchCase, CallCase, PreparedSimulation } from "./benchCase.js";
import { mooncakeLikeSpecs } from "./mooncakeLike.js";

/** 70 % of the requests per second at which Llama-3.1-8B on one H100 is overrun by the chat workload. */
const CHAT_RATE = 14;

/** @param shared folder of reference material: traces/ and ground_truth/ */
export function benchCases(shared: string): readonly BenchCase[] {
  return [
    {
      kind: "process",
      name: "startup-version",
      what: "roofserve --version, the whole process",
      repeats: 11,
      args: ["--version"],
      numRequests: null,
    },
    {
      kind: "process",
      name: "startup-run",
      what: "roofserve run of ten requests, the whole process",
      repeats: 11,
      args: ["run", "--max-requests", "10"],
      numRequests: 10,
    },
    replayCase(shared),
    stepPricing,
    {
      kind: "simulation",
      name: "decode-only",
      what: "10,000 short prompts and 500 output tokens each, 256 in flight: steps that only decode",
      repeats: 5,
      prepare: async () =>
        generated({ profile: { kind: "concurrent", streams: 256 }, data: fixedLengths(16, 500), maxRequests: 10_000 }),
    },
    {
      kind: "simulation",
      name: "mixed",
      what: "20,000 chat requests at 70 % load: prefills and decodes share steps",
      repeats: 5,
      prepare: async () => preset("chat", 20_000, CHAT_RATE),
    },
    {
      kind: "simulation",
      name: "kv-tight",
      what: "3,000 chat requests on 1,500 KV blocks: many are preempted",
      repeats: 5,
      prepare: async () => preset("chat", 3000, 10, { engine: { numGpuBlocksOverride: 1500 } }),
    },
    {
      kind: "simulation",
      name: "prefix-heavy",
      what: "10,000 requests of agents: long prompts that share what was said before",
      repeats: 5,
      prepare: async () => preset("agent", 10_000, 0.5),
    },
    {
      kind: "simulation",
      name: "mooncake",
      what: "Mooncake's conversation trace: 12,031 prompts of 12 k tokens in hashed blocks, on Qwen3-8B",
      repeats: 5,
      prepare: () => mooncake(join(shared, "traces", "mooncake_conversation.jsonl")),
    },
    {
      kind: "simulation",
      name: "million",
      what: "1,000,000 chat requests at 70 % load",
      isCompared: false,
      repeats: 3,
      prepare: async () => preset("chat", 1_000_000, CHAT_RATE),
    },
    {
      kind: "process",
      name: "ten-million",
      what: "roofserve run of 10,000,000 chat requests at 70 % load, the whole process, with a heap of 200 MiB",
      onlyWhenNamed: true,
      repeats: 1,
      args: ["run", "--rate", String(CHAT_RATE), "--max-requests", "10000000", "--format", "json"],
      numRequests: 10_000_000,
      heapMiB: 200,
    },
    {
      kind: "growth",
      name: "scaling",
      what: "chat requests at 70 % load, from ten thousand to three million: exponent of the cost over the requests",
      repeats: 2,
      sizes: [10_000, 30_000, 100_000, 300_000, 1_000_000, 3_000_000],
      prepare: async (numRequests) => preset("chat", numRequests, CHAT_RATE),
      costOf: "run",
    },
    {
      kind: "growth",
      name: "batch-width",
      what: "decode-only load with 24 and 240 in flight: exponent of the cost of a step over the running requests",
      repeats: 5,
      sizes: [24, 240],
      prepare: async (streams) =>
        generated({ profile: { kind: "concurrent", streams }, data: fixedLengths(16, 500), maxRequests: 20 * streams }),
      costOf: "step",
    },
  ];
}

const stepPricing: CallCase = {
  kind: "call",
  name: "step-pricing",
  what: "20,000 steps of many shapes priced by the additive step model",
  repeats: 11,
  prepare() {
    const { deployment, config } = preset("chat", 1, CHAT_RATE);
    const { stepModel, parts } = createServer(deployment, config.engine, config.sampling);
    const batches = Array.from({ length: 200 }, (_, i) => batchOfShape(i, parts.maxNumSeqs));
    const componentsUs = new Float64Array(stepModel.componentNames.length);
    const call = () => {
      let sumUs = 0;
      for (let round = 0; round < 100; round++) {
        for (const batch of batches) sumUs += stepModel.gpuUs(batch, componentsUs);
      }
      return sumUs;
    };
    return { numCalls: 100 * batches.length, call };
  },
};

/** Decodes at contexts that differ, and in every third batch a chunk of a prompt. */
function batchOfShape(index: number, maxNumSeqs: number): ScheduledBatch {
  const batch = new ScheduledBatch(maxNumSeqs);
  const numDecodes = 1 + ((index * 37) % 200);
  for (let row = 0; row < numDecodes; row++) batch.push(1, 100 + ((index * 131 + row * 17) % 4000), true);
  if (index % 3 === 0) batch.push(64 + ((index * 71) % 1500), (index * 29) % 2000, false);
  batch.numSampled = numDecodes;
  return batch;
}

function replayCase(shared: string): BenchCase {
  const run = join(shared, "ground_truth", "inference-perf", "20260217-231439-llama-2-7b-tp1-general");
  const isThere = existsSync(run);
  return {
    kind: "process",
    name: "replay",
    what: `roofserve replay of a measured run of 16,800 requests, the whole process${isThere ? "" : `; ${run} is not there`}`,
    repeats: 5,
    args: isThere ? ["replay", run] : null,
    numRequests: 16_800,
  };
}

function fixedLengths(promptTokens: number, outputTokens: number) {
  const fixed = (tokens: number) => ({ kind: "fixed", tokens });
  return { kind: "lengths", prompt: fixed(promptTokens), output: fixed(outputTokens) };
}

/** A preset at another length and rate. @param changes laid over the run's config */
function preset(name: WorkloadPreset, maxRequests: number, rate: number, changes: object = {}): PreparedSimulation {
  const workload = loadWorkloadPreset(name);
  return generated({ ...workload, profile: { ...workload.profile, rate }, maxRequests }, changes);
}

function generated(workload: object, changes: object = {}): PreparedSimulation {
  const config = parseConfig(runConfigSchema, mergeConfig({ workload }, changes), "");
  return {
    deployment: loadDeployment(config),
    config,
    openWorkload: () => createWorkload(config.workload, config.seed),
    note: null,
  };
}

async function mooncake(file: string): Promise<PreparedSimulation> {
  const isThere = existsSync(file);
  const specs = isThere ? (await readTrace(file)).specs : mooncakeLikeSpecs();
  const workload = { profile: { kind: "trace" }, data: { kind: "trace", path: file } };
  const config = parseConfig(runConfigSchema, { model: "Qwen/Qwen3-8B", workload }, "");
  return {
    deployment: loadDeployment(config),
    config,
    openWorkload: () => workloadFromSpecs(specs),
    note: isThere ? null : `${file} is not there: requests of the same shape, generated, stand in`,
  };
}
