import type { ScheduledBatch } from "../batch/scheduledBatch.js";
import type { PrefillChunk } from "../model/operator.js";

/** The rows of a step, or of one phase of it. */
export interface PhaseRows {
  readonly prefillChunks: readonly PrefillChunk[];
  /** Contexts of the decode rows, the token being computed included; without those in lockstep. */
  readonly decodeContextTokens: readonly number[];
  /** Positions whose logits are computed. */
  readonly numSampled: number;
}

/** A batch's rows by kind: a row of one new token whose prompt is computed is a decode, any other a prefill chunk. */
export function phaseRows(batch: ScheduledBatch): PhaseRows {
  const prefillChunks: PrefillChunk[] = [];
  const decodeContextTokens: number[] = [];
  for (let row = 0; row < batch.numRows; row++) {
    const newTokens = batch.numNewTokens[row]!;
    const contextTokens = batch.numContextTokens[row]!;
    if (batch.isDecode[row] === 1 && newTokens === 1) decodeContextTokens.push(contextTokens + 1);
    else prefillChunks.push({ newTokens, contextTokens });
  }
  return { prefillChunks, decodeContextTokens, numSampled: batch.numSampled };
}

/** The prefill rows and the decode rows, each as a step of their own. */
export function separatePhases({ prefillChunks, decodeContextTokens, numSampled }: PhaseRows): [PhaseRows, PhaseRows] {
  const numDecodes = decodeContextTokens.length;
  // Every decode row samples.
  const numSampledPrefills = Math.max(0, numSampled - numDecodes);
  return [
    { prefillChunks, decodeContextTokens: [], numSampled: numSampledPrefills },
    { prefillChunks: [], decodeContextTokens, numSampled: Math.min(numSampled, numDecodes) },
  ];
}

/** Tokens computed in the rows. */
export function tokensOf({ prefillChunks, decodeContextTokens }: PhaseRows): number {
  return prefillChunks.reduce((sum, { newTokens }) => sum + newTokens, decodeContextTokens.length);
}
