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
  /** Triples of neighbours on the grid. */
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
 * before: the second request of 8192 tokens costs far more than 5 %, and no model should hide that. Behind a jump the
 * line begins anew, so that each is counted once and not again on its way back.
 */
export function jumpCount(pair: ModelPair): JumpCount {
  const contexts = Array.from({ length: 127 }, (_, i) => 128 + 64 * i);
  const overBatches = contexts.map(() => new LinePair());
  const lines = [...overBatches];
  const byBatch: SweepPoint[] = [];
  for (let batchSize = 1; batchSize <= MAX_BATCH; batchSize++) {
    const overContexts = new LinePair();
    lines.push(overContexts);
    contexts.forEach((context, i) => {
      const point = pricePair(pair, context, decodeBatch(batchSize, context));
      overContexts.add(point);
      overBatches[i]!.add(point);
      if (context === SHOWN_CONTEXT_TOKENS) byBatch.push({ ...point, x: batchSize });
    });
  }
  const sum = (of: (line: LinePair) => number) => lines.reduce((total, line) => total + of(line), 0);
  return {
    numTriples: sum(({ on }) => Math.max(0, on.numPoints - 2)),
    numJumpsOn: sum(({ on }) => on.numJumps),
    numJumpsOff: sum(({ off }) => off.numJumps),
    byBatch,
  };
}

/** Neighbouring steps along one line of the grid, priced with the correction and without it. */
class LinePair {
  readonly on = new PriceLine();
  readonly off = new PriceLine();

  add({ onUs, offUs }: SweepPoint): void {
    this.on.add(onUs);
    this.off.add(offUs);
  }
}

/** Counts where a series of prices leaves the straight line it was on. */
class PriceLine {
  numPoints = 0;
  numJumps = 0;
  /** The two prices that the line goes through, µs; NaN before there are two. */
  #firstUs = Number.NaN;
  #secondUs = Number.NaN;

  add(us: number): void {
    const continuedUs = 2 * this.#secondUs - this.#firstUs;
    const isJump = Math.abs(us - continuedUs) >= JUMP_FRACTION * this.#secondUs;
    this.numPoints++;
    if (isJump) this.numJumps++;
    this.#firstUs = isJump ? Number.NaN : this.#secondUs;
    this.#secondUs = us;
  }
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
