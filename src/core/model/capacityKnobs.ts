import { ConfigError } from "../errors/simulationError.js";
import type { MemoryProfileOptions } from "./memoryProfile.js";
import type { ModelArchitecture } from "./modelArchitecture.js";
import { requireShardable } from "./sharding.js";

/** A change of the options, and the flag that makes it. */
interface Knob {
  readonly flag: string;
  readonly change: Partial<MemoryProfileOptions>;
}

/** Utilisation a message proposes at most: beyond it other users of the GPU run out. */
const HIGHEST_UTILIZATION = 0.95;
/** A context length that most uses can live with, tokens. */
const SHORT_MODEL_LEN = 8192;
const MOST_GPUS = 64;

const FP8: Knob = { flag: "--quantization fp8", change: { weightDtype: "fp8" } };
const UTILIZATION: Knob = {
  flag: `--gpu-memory-utilization ${HIGHEST_UTILIZATION}`,
  change: { gpuMemoryUtilization: HIGHEST_UTILIZATION },
};
const SHORT_LEN: Knob = { flag: `--max-model-len ${SHORT_MODEL_LEN}`, change: { maxModelLen: SHORT_MODEL_LEN } };

/**
 * What would make a model fit, most useful first: each option that is enough by itself, else the first combination
 * that is.
 * @param fits whether the model fits with these options
 */
export function capacityKnobs(
  architecture: ModelArchitecture,
  options: MemoryProfileOptions,
  fits: (options: MemoryProfileOptions) => boolean,
): string[] {
  const helps = (knobs: readonly Knob[]): boolean =>
    fits(Object.assign({}, options, ...knobs.map(({ change }) => change)));
  const gpus = moreGpus(architecture, options);
  const is16Bit = options.weightDtype === "bf16" || options.weightDtype === "fp16";
  const smaller = [...(is16Bit ? [FP8] : []), ...(options.maxModelLen > SHORT_MODEL_LEN ? [SHORT_LEN] : [])];
  const others = options.gpuMemoryUtilization < HIGHEST_UTILIZATION ? [...smaller, UTILIZATION] : smaller;
  const enoughGpus = gpus.find((knob) => helps([knob]));
  const alone = [...(enoughGpus === undefined ? [] : [enoughGpus]), ...others.filter((knob) => helps([knob]))];
  if (alone.length > 0) return [...alone.map(({ flag }) => flag), "a GPU with more memory"];
  const combinations = gpus.flatMap((knob) => [...smaller.map((other) => [knob, other]), [knob, ...smaller]]);
  const together = combinations.find(helps);
  const flags = together === undefined ? [] : [together.map(({ flag }) => flag).join(" with ")];
  return [...flags, "a GPU with more memory", "a smaller model"];
}

/** Doublings of the tensor-parallel size that the model allows. */
function moreGpus(architecture: ModelArchitecture, { tensorParallelSize }: MemoryProfileOptions): Knob[] {
  const knobs: Knob[] = [];
  for (let size = 2 * tensorParallelSize; size <= MOST_GPUS; size *= 2) {
    if (!isShardable(architecture, size)) continue;
    knobs.push({ flag: `--tensor-parallel-size ${size}`, change: { tensorParallelSize: size } });
  }
  return knobs;
}

function isShardable(architecture: ModelArchitecture, tensorParallelSize: number): boolean {
  try {
    requireShardable(architecture, tensorParallelSize);
    return true;
  } catch (error) {
    if (error instanceof ConfigError) return false;
    throw error;
  }
}
