import type { EngineConfig } from "../../config/engineConfig.js";
import type { RunConfig } from "../../engine/runConfig.js";
import type { GpuSpec } from "../../hardware/gpuSpec.js";
import type { BottleneckKind } from "./bottleneck.js";

/** What a change asks for: nothing but a restart, answers computed less precisely, or other GPUs. */
export type KnobCost = "setting" | "precision" | "hardware";

/** A change of one option, to be tried. */
export interface Knob {
  /** As a user would write it. */
  readonly flag: string;
  readonly cost: KnobCost;
  /** A fragment of a run config. */
  readonly change: { readonly engine?: Partial<EngineConfig>; readonly gpu?: string };
}

/** A run to change: its resolved config, the GPU it names, and GPUs it could run on. */
export interface Tunable {
  readonly config: RunConfig;
  readonly gpu: GpuSpec;
  readonly otherGpus: readonly GpuSpec[];
}

/** A GPU counts as faster from here on: below it, the change would drown. */
const FASTER_BANDWIDTH = 1.2;
const HIGH_UTILIZATION = 0.95;

/** Builds a knob, or null where the config cannot turn it. */
type KnobOf = (tunable: Tunable) => Knob | null;

const moreTokens = tokenBudget((tokens) => 2 * tokens);
const fewerTokens = tokenBudget((tokens) => Math.floor(tokens / 2));
const moreSequences = sequences((seqs) => 2 * seqs);
const fewerSequences = sequences((seqs) => Math.floor(seqs / 2));

const moreGpus: KnobOf = ({ config }) => tensorParallel(2 * config.engine.tensorParallelSize, "hardware");
const fewerGpus: KnobOf = ({ config: { engine } }) =>
  engine.tensorParallelSize % 2 === 0 ? tensorParallel(engine.tensorParallelSize / 2, "hardware") : null;

const fasterGpu: KnobOf = ({ gpu, otherGpus }) => {
  const bandwidth = ({ memory }: GpuSpec) => memory.bandwidthBytesPerS;
  const faster = otherGpus
    .filter((other) => bandwidth(other) >= FASTER_BANDWIDTH * bandwidth(gpu) && isNoWeaker(other, gpu))
    .sort((a, b) => bandwidth(a) - bandwidth(b) || (a.id < b.id ? -1 : 1));
  const [next] = faster;
  return next === undefined ? null : { flag: `--gpu ${next.id}`, cost: "hardware", change: { gpu: next.id } };
};

const prefixCaching: KnobOf = ({ config }) =>
  config.engine.enablePrefixCaching ? null : setting("--enable-prefix-caching", { enablePrefixCaching: true });
const asyncScheduling: KnobOf = ({ config }) =>
  config.engine.asyncScheduling === true ? null : setting("--async-scheduling", { asyncScheduling: true });
const chunkedPrefill: KnobOf = ({ config }) =>
  config.engine.enableChunkedPrefill ? null : setting("--enable-chunked-prefill", { enableChunkedPrefill: true });
const moreMemory: KnobOf = ({ config: { engine } }) =>
  engine.numGpuBlocksOverride !== null || engine.gpuMemoryUtilization >= HIGH_UTILIZATION
    ? null
    : setting(`--gpu-memory-utilization ${HIGH_UTILIZATION}`, { gpuMemoryUtilization: HIGH_UTILIZATION });
const fp8Kv: KnobOf = ({ config }) =>
  config.engine.kvCacheDtype.startsWith("fp8")
    ? null
    : { flag: "--kv-cache-dtype fp8", cost: "precision", change: { engine: { kvCacheDtype: "fp8" } } };
const fp8Weights: KnobOf = ({ config }) =>
  config.engine.quantization !== null
    ? null
    : { flag: "--quantization fp8", cost: "precision", change: { engine: { quantization: "fp8" } } };

/** What is worth a try, the most likely help first. */
const KNOBS_FOR: Readonly<Record<BottleneckKind, readonly KnobOf[]>> = {
  "front-end": [fewerSequences, moreTokens, fewerTokens],
  sequences: [moreSequences, moreTokens, fewerTokens, fp8Kv, fp8Weights, moreGpus, fasterGpu],
  "token-budget": [moreTokens, fewerTokens, prefixCaching, chunkedPrefill, fp8Weights, moreGpus, fasterGpu],
  "kv-cache": [
    ...[moreMemory, fewerSequences, prefixCaching, moreTokens, fewerTokens],
    ...[fp8Kv, fp8Weights, moreGpus, fasterGpu],
  ],
  compute: [fewerTokens, moreTokens, prefixCaching, asyncScheduling, fp8Weights, moreGpus, fasterGpu],
  memory: [fewerTokens, moreTokens, prefixCaching, asyncScheduling, fp8Kv, fp8Weights, moreGpus, fasterGpu],
  launch: [fewerTokens, moreTokens, asyncScheduling, fp8Weights, fewerGpus, moreGpus, fasterGpu],
  wait: [fewerTokens, moreTokens, asyncScheduling, fp8Weights, fewerGpus, moreGpus, fasterGpu],
  network: [fewerTokens, moreTokens, asyncScheduling, fewerGpus, fasterGpu],
};

/** Changes that may relieve a bottleneck, each of one option; those that are in force already are left out. */
export function knobsFor(kind: BottleneckKind, tunable: Tunable): Knob[] {
  return KNOBS_FOR[kind].flatMap((knobOf) => knobOf(tunable) ?? []);
}

function setting(flag: string, engine: Partial<EngineConfig>): Knob {
  return { flag, cost: "setting", change: { engine } };
}

function tensorParallel(tensorParallelSize: number, cost: KnobCost): Knob {
  return { flag: `--tensor-parallel-size ${tensorParallelSize}`, cost, change: { engine: { tensorParallelSize } } };
}

function tokenBudget(changed: (tokens: number) => number): KnobOf {
  return ({ config: { engine } }) => {
    if (engine.maxNumBatchedTokens === null) return null;
    const maxNumBatchedTokens = changed(engine.maxNumBatchedTokens);
    return setting(`--max-num-batched-tokens ${maxNumBatchedTokens}`, { maxNumBatchedTokens });
  };
}

function sequences(changed: (seqs: number) => number): KnobOf {
  return ({ config: { engine } }) => {
    if (engine.maxNumSeqs === null) return null;
    const maxNumSeqs = changed(engine.maxNumSeqs);
    return maxNumSeqs < 1 ? null : setting(`--max-num-seqs ${maxNumSeqs}`, { maxNumSeqs });
  };
}

function isNoWeaker(a: GpuSpec, b: GpuSpec): boolean {
  return a.memory.capacityBytes >= b.memory.capacityBytes && a.compute.bf16FlopsPerS >= b.compute.bf16FlopsPerS;
}
