import { resolveDtypes } from "../core/engine/resolveEngine.js";
import type { SimulationResult } from "../core/engine/simulate.js";
import { CapacityError } from "../core/errors/simulationError.js";
import { modelKvCacheLayout } from "../core/model/kvCacheSize.js";
import type { RequestSpec } from "../core/request/requestSpec.js";
import { loadModel } from "../io/catalog.js";

/** What keeps a request out: tokens that a sequence may have at most, and the options that would let it in. */
interface Limit {
  readonly numTokens: number;
  readonly knobs: readonly string[];
}

/**
 * Says what became of requests that can never be scheduled.
 * @returns a note for stderr; null when every request was accepted
 * @throws CapacityError when not one was
 */
export function rejectionNote(result: SimulationResult): string | null {
  const { submitted, rejected } = result.summary.requests;
  if (rejected === 0) return null;
  const index = shortestRejected(result);
  const { id, reason } = result.records[index]!;
  const spec = result.specs[index]!;
  const limit = limitOf(result, spec);
  if (rejected < submitted) {
    return `${rejected} of ${submitted} requests were rejected; the shortest, ${id}: ${reason}; try ${limit.knobs.join(", or ")}`;
  }
  const { model, engine } = result.summary.config;
  const architecture = loadModel(model);
  const { bytesPerBlock } = modelKvCacheLayout(architecture, { ...engine, ...resolveDtypes(asResolved(engine), architecture) });
  const kvBytes = (numTokens: number) => Math.ceil(numTokens / engine.blockSize) * bytesPerBlock;
  throw new CapacityError(
    `none of ${submitted} requests can ever be scheduled; the shortest, ${id}: ${reason}`,
    kvBytes(spec.numPromptTokens + spec.maxTokens),
    kvBytes(limit.numTokens),
    limit.knobs,
  );
}
