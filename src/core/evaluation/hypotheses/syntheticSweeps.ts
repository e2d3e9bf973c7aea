import { ScheduledBatch } from "../../batch/scheduledBatch.js";
import type { StepModel } from "../../stepmodel/stepModel.js";

/** A step model with a correction, and the same without it. */
export interface ModelPair {
  readonly on: StepModel;
  readonly off: StepModel;
}

/** One priced point of a sweep, µs. */
export interface SweepPoint {
  readonly x: number;
  readonly onUs: number;
  readonly offUs: number;
}

/** KV lengths of the H4 sweep: 128 to 8192 tokens, four per doubling. */
const KV_LENGTHS: readonly number[] = Array.from({ length: 25 }, (_, i) => Math.round(128 * 2 ** (i / 4)));

/** A decode step of one batch size over growing contexts, and where the two models differ most. */
export interface KvLengthSweep {
  readonly batchSize: number;
  readonly points: readonly SweepPoint[];
  readonly largest: { readonly kvLen: number; readonly differenceFraction: number };
}

/** H4, part A: one roof per kernel against one over the step, as the KV cache grows at a fixed batch size. */
export function kvLengthSweep(pair: ModelPair, batchSize: number): KvLengthSweep {
  const points = KV_LENGTHS.map((kvLen) => pricePair(pair, kvLen, decodeBatch(batchSize, kvLen)));
  const widest = points.reduce((best, point) => (difference(point) > difference(best) ? point : best));
  return { batchSize, points, largest: { kvLen: widest.x, differenceFraction: difference(widest) } };
}

/** A step of a fixed number of tokens, from all decode to all prefill. */
export interface MixSweep {
  readonly numTokens: number;
  /** `x` is the share of prefill tokens, 0 … 1. */
  readonly points: readonly SweepPoint[];
  readonly differenceFractionAtHalf: number;
  /** Whether the price with the correction never turns: it only rises, or only falls. */
  readonly isMonotone: boolean;
}

const MIX_STEPS = 32;
const MIX_CONTEXT_TOKENS = 1024;

/** H5, part A: the additive mix against the weighted one, over the share of prefill tokens. */
export function mixSweep(pair: ModelPair, numTokens: number): MixSweep {
  const points = Array.from({ length: MIX_STEPS + 1 }, (_, i) => {
    const numPrefill = Math.round((numTokens * i) / MIX_STEPS);
    const batch = decodeBatch(numTokens - numPrefill, MIX_CONTEXT_TOKENS);
    if (numPrefill > 0) batch.push(numPrefill, 0, false);
    batch.numSampled = batch.numRequests;
    return pricePair(pair, i / MIX_STEPS, batch);
  });
  const middle = points[MIX_STEPS / 2] as SweepPoint;
  return {
    numTokens,
    points,
    differenceFractionAtHalf: difference(middle),
    isMonotone: turns(points.map(({ onUs }) => onUs)) === 0,
  };
}

/** Price jumps on a grid of decode steps: a neighbour at least 5 % away from where a straight line would have it. */
export interface JumpCount {
  /** Triples of neighbours that were looked at. */
  readonly numTriples: number;
  readonly numJumpsOn: number;
  readonly numJumpsOff: number;
  /** Decode steps by batch size at one context, for a picture. */
  readonly byBatch: readonly SweepPoint[];
}

export const JUMP_FRACTION = 0.05;
const MAX_BATCH = 256;
const SHOWN_CONTEXT_TOKENS = 1024;

/**
 * H6, part A: batch sizes 1 to 256 by one and contexts 128 to 8192 by 64; how often the price jumps in either
 * direction, with interpolation and without. A jump is a departure from the straight line through the two points
 * before: the second request of 8192 tokens costs far more than 5 %, and no model should hide that.
 */
export function jumpCount(pair: ModelPair): JumpCount {
  const contexts = Array.from({ length: 127 }, (_, i) => 128 + 64 * i);
  let numTriples = 0;
  let numJumpsOn = 0;
  let numJumpsOff = 0;
  const byBatch: SweepPoint[] = [];
  /** Rows of the two batch sizes before, the latest first. */
  let rows: [SweepPoint[], SweepPoint[]] = [[], []];
  for (let batchSize = 1; batchSize <= MAX_BATCH; batchSize++) {
    const row = contexts.map((context) => pricePair(pair, context, decodeBatch(batchSize, context)));
    row.forEach((point, i) => {
      const lines = [
        [row[i - 2], row[i - 1]],
        [rows[1][i], rows[0][i]],
      ];
      for (const [first, second] of lines) {
        if (first === undefined || second === undefined) continue;
        numTriples++;
        if (isJump(first.onUs, second.onUs, point.onUs)) numJumpsOn++;
        if (isJump(first.offUs, second.offUs, point.offUs)) numJumpsOff++;
      }
      if (contexts[i] === SHOWN_CONTEXT_TOKENS) byBatch.push({ ...point, x: batchSize });
    });
    rows = [row, rows[0]];
  }
  return { numTriples, numJumpsOn, numJumpsOff, byBatch };
}

function pricePair({ on, off }: ModelPair, x: number, batch: ScheduledBatch): SweepPoint {
  return { x, onUs: stepUs(on, batch), offUs: stepUs(off, batch) };
}

function stepUs(model: StepModel, batch: ScheduledBatch): number {
  return model.gpuUs(batch, new Float64Array(model.componentNames.length));
}

/** @param kvLen tokens each request attends to, the new one included */
function decodeBatch(batchSize: number, kvLen: number): ScheduledBatch {
  const batch = new ScheduledBatch(batchSize + 1);
  for (let row = 0; row < batchSize; row++) batch.push(1, kvLen - 1, true);
  batch.numSampled = batchSize;
  return batch;
}

/** How far apart the two prices are, as a fraction of the one without the correction. */
function difference({ onUs, offUs }: SweepPoint): number {
  return Math.abs(onUs / offUs - 1);
}

function isJump(firstUs: number, secondUs: number, thirdUs: number): boolean {
  const continuedUs = 2 * secondUs - firstUs;
  return Math.abs(thirdUs - continuedUs) >= JUMP_FRACTION * secondUs;
}

/** How often a series changes its direction; steps below a thousandth count as level. */
function turns(values: readonly number[]): number {
  let direction = 0;
  let count = 0;
  for (let i = 1; i < values.length; i++) {
    const change = values[i]! / values[i - 1]! - 1;
    if (Math.abs(change) < 1e-3) continue;
    if (direction !== 0 && Math.sign(change) !== direction) count++;
    direction = Math.sign(change);
  }
  return count;
}
