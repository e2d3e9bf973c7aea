import type { EngineConfig, SamplingConfig } from "../config/engineConfig.js";
import { createServer, type Deployment } from "./createServer.js";
import { explainStep, parseBatch } from "./explainStep.js";

/** One step on two deployments of the same server. */
export interface StepDifference {
  /** As `parseBatch` reads it. */
  readonly batch: string;
  readonly stepUsBefore: number;
  readonly stepUsAfter: number;
}

/** Context of the long batches, where the model can hold it. */
const LONG_CONTEXT_TOKENS = 8192;

/**
 * Step times of decode batches at a short and a long context, of a prefill and of a mix, before and after a change of
 * what prices them. KV blocks do not matter to one step and are not counted.
 * @throws CapacityError when the weights do not fit
 */
export function stepDifferences(
  before: Deployment,
  after: Deployment,
  engineConfig: EngineConfig,
  sampling: SamplingConfig,
): StepDifference[] {
  const engine = { ...engineConfig, numGpuBlocksOverride: 65_536 };
  const serverBefore = createServer(before, engine, sampling);
  const serverAfter = createServer(after, engine, sampling);
  const long = Math.min(LONG_CONTEXT_TOKENS, serverBefore.engine.maxModelLen >> 1);
  const short = Math.min(512, long);
  const decodes = [1, 32, 128].flatMap((requests) => [`decode:${requests}@${short}`, `decode:${requests}@${long}`]);
  const chunk = Math.min(2048, long);
  const batches = [...decodes, `prefill:${chunk}@0`, `decode:32@${short},prefill:${chunk >> 1}@0`];
  return batches.map((batch) => ({
    batch,
    stepUsBefore: explainStep(serverBefore, parseBatch(batch)).stepUs,
    stepUsAfter: explainStep(serverAfter, parseBatch(batch)).stepUs,
  }));
}
