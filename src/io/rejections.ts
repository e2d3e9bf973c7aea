import { type ResolvedEngineConfig, resolveDtypes } from "../core/engine/resolveEngine.js";
import type { RunSummary, SimulationResult } from "../core/engine/simulate.js";
import { CapacityError } from "../core/errors/simulationError.js";
import { uniformKvCacheLayout } from "../core/model/kvCacheSize.js";
import type { ModelArchitecture } from "../core/model/modelArchitecture.js";
import type { RequestSpec } from "../core/request/requestSpec.js";
import { loadModel } from "./catalog.js";

/** What keeps a request out: the tokens a sequence may have at most, and the options that would let it in. */
interface Limit {
  readonly numTokens: number;
  readonly knobs: readonly string[];
}

/**
 * Says what became of requests that can never be scheduled.
 * @returns a note for stderr; null when every request was accepted
 * @throws CapacityError when not one was
 */
export function rejectionNote({ summary, records, specs }: SimulationResult): string | null {
  const { submitted, rejected } = summary.requests;
  if (rejected === 0) return null;
  const index = shortestRejected(records, specs);
  const spec = specs[index] as RequestSpec;
  const shortest = `the shortest, ${spec.id}: ${records[index]?.reason ?? "rejected"}`;
  const architecture = loadModel(summary.config.model);
  const limit = limitOf(summary, spec, architecture);
  if (rejected < submitted) {
    return `${rejected} of ${submitted} requests ${rejected === 1 ? "was" : "were"} rejected; ${shortest}; try ${limit.knobs.join(", or ")}`;
  }
  // A summary's engine config is resolved: no field is left to vLLM.
  const engine = summary.config.engine as ResolvedEngineConfig;
  const { bytesPerBlock } = uniformKvCacheLayout(architecture, { ...engine, ...resolveDtypes(engine, architecture) });
  const kvBytes = (numTokens: number) => Math.ceil(numTokens / engine.blockSize) * bytesPerBlock;
  const whose =
    submitted === 1 ? "the request can never be scheduled" : `none of ${submitted} requests can be scheduled`;
  throw new CapacityError(
    `${whose}; ${shortest}; its KV cache`,
    kvBytes(spec.numPromptTokens + spec.maxTokens),
    kvBytes(limit.numTokens),
    limit.knobs,
  );
}

function shortestRejected(records: SimulationResult["records"], specs: readonly RequestSpec[]): number {
  const numTokens = (index: number) => (specs[index]?.numPromptTokens ?? 0) + (specs[index]?.maxTokens ?? 0);
  let shortest = -1;
  for (let index = 0; index < records.length; index++) {
    if (records[index]?.status !== "rejected") continue;
    if (shortest < 0 || numTokens(index) < numTokens(shortest)) shortest = index;
  }
  return shortest;
}

/** The limits in the order in which the server checks them. */
function limitOf({ config, engine }: RunSummary, spec: RequestSpec, architecture: ModelArchitecture): Limit {
  const { maxModelLen, maxNumBatchedTokens, enableChunkedPrefill, blockSize } = config.engine as ResolvedEngineConfig;
  const { numPromptTokens } = spec;
  if (numPromptTokens >= maxModelLen) {
    const numPositions = architecture.maxPositionEmbeddings;
    const larger = maxModelLen < numPositions ? [`--max-model-len ${numPositions} (the model's own limit)`] : [];
    return { numTokens: maxModelLen, knobs: [...larger, "a model with a longer context", "shorter prompts"] };
  }
  if (!enableChunkedPrefill && numPromptTokens > maxNumBatchedTokens) {
    const knobs = ["--enable-chunked-prefill", `--max-num-batched-tokens ${numPromptTokens}`, "shorter prompts"];
    return { numTokens: maxNumBatchedTokens, knobs };
  }
  const { tensorParallelSize, kvCacheDtype, numGpuBlocksOverride } = config.engine;
  const knobs =
    numGpuBlocksOverride === null
      ? [`--tensor-parallel-size ${2 * tensorParallelSize}`, "a GPU with more memory"]
      : ["a larger --num-gpu-blocks-override"];
  if (kvCacheDtype !== "fp8") knobs.push("--kv-cache-dtype fp8");
  // One block of the pool is vLLM's null block.
  return { numTokens: (engine.numGpuBlocks - 1) * blockSize, knobs: [...knobs, "shorter requests"] };
}
