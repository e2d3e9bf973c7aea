import { type ResolvedEngineConfig, resolveDtypes } from "../core/engine/resolveEngine.js";
import type { RequestSink } from "../core/engine/runResult.js";
import type { RunSummary } from "../core/engine/simulate.js";
import { CapacityError } from "../core/errors/simulationError.js";
import type { RequestRecord } from "../core/metrics/requestRecord.js";
import { uniformKvCacheLayout } from "../core/model/kvCacheSize.js";
import type { ModelArchitecture } from "../core/model/modelArchitecture.js";
import type { RequestSpec } from "../core/request/requestSpec.js";
import { loadModel } from "./catalog.js";

/** What keeps a request out: the tokens a sequence may have at most, and the options that would let it in. */
interface Limit {
  readonly numTokens: number;
  readonly knobs: readonly string[];
}

/** Keeps the shortest of the requests that can never be scheduled; of equal ones the first. */
export class ShortestRejected implements RequestSink {
  #spec: RequestSpec | null = null;
  #reason = "";

  add({ status, reason }: RequestRecord, spec: RequestSpec): void {
    if (status !== "rejected") return;
    if (this.#spec !== null && numTokens(spec) >= numTokens(this.#spec)) return;
    this.#spec = spec;
    this.#reason = reason ?? "rejected";
  }

  /**
   * Says what became of requests that can never be scheduled.
   * @returns a note for stderr; null when every request was accepted
   * @throws CapacityError when not one was
   */
  note(summary: RunSummary): string | null {
    return this.#spec === null ? null : rejectionNote(summary, this.#spec, this.#reason);
  }
}

function numTokens({ numPromptTokens, maxTokens }: RequestSpec): number {
  return numPromptTokens + maxTokens;
}

function rejectionNote(summary: RunSummary, spec: RequestSpec, reason: string): string {
  const { submitted, rejected } = summary.requests;
  const shortest = `the shortest, ${spec.id}: ${reason}`;
  const architecture = loadModel(summary.config.model);
  const limit = limitOf(summary, spec, architecture);
  if (rejected < submitted) {
    return `${rejected} of ${submitted} requests ${rejected === 1 ? "was" : "were"} rejected; ${shortest}; try ${limit.knobs.join(", or ")}`;
  }
  // A summary's engine config is resolved: no field is left to vLLM.
  const engine = summary.config.engine as ResolvedEngineConfig;
  const { bytesPerBlock } = uniformKvCacheLayout(architecture, { ...engine, ...resolveDtypes(engine, architecture) });
  const kvBytes = (tokens: number) => Math.ceil(tokens / engine.blockSize) * bytesPerBlock;
  const whose =
    submitted === 1 ? "the request can never be scheduled" : `none of ${submitted} requests can be scheduled`;
  throw new CapacityError(
    `${whose}; ${shortest}; its KV cache`,
    kvBytes(numTokens(spec)),
    kvBytes(limit.numTokens),
    limit.knobs,
  );
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
