import { createStream } from "../../des/streams.js";
import type { MeasuredRequest, MeasuredRun } from "../../metrics/measuredExperiment.js";

/** Compilation and first touches stall a server's first requests, by seconds at times: at most so many are left out. */
export const MAX_WARM_UP_REQUESTS = 100;
/** …and no more than this share of a run. */
export const MAX_WARM_UP_FRACTION = 0.1;
/** Parts of a run; requests of one part share bursts and queues, so that parts, not requests, count as independent. */
export const NUM_BLOCKS = 20;
/** Of so many consecutive blocks one validates. */
export const BLOCKS_PER_VALIDATION = 5;

/** Which requests of a run fit the terms and which judge the fit; indices into the run's requests. */
export interface RunSplit {
  /** Blocks of consecutive requests, in order of time. */
  readonly training: readonly (readonly number[])[];
  readonly validation: readonly number[];
  /** Requests at the start of the run that do neither. */
  readonly numWarmUp: number;
}

/** Requests whose latencies can be compared at all. */
export function usableRequests(measured: readonly MeasuredRequest[]): number[] {
  const isUsable = ({ failed, ttftMs, e2eMs }: MeasuredRequest) => !failed && ttftMs > 0 && e2eMs > 0;
  return measured.flatMap((request, i) => (isUsable(request) ? [i] : []));
}

/**
 * Cuts a run, without its warm-up, into blocks of consecutive requests; of every five in a row the seed draws one for
 * validation. So both parts see all loads of the run, and neighbours in a queue stay together.
 */
export function splitRun(run: MeasuredRun, seed: number): RunSplit {
  const numWarmUp = Math.min(MAX_WARM_UP_REQUESTS, Math.ceil(run.measured.length * MAX_WARM_UP_FRACTION));
  const usable = usableRequests(run.measured).filter((i) => i >= numWarmUp);
  const numBlocks = Math.min(NUM_BLOCKS, Math.max(1, Math.floor(usable.length / 2)));
  const draw = createStream(seed, `calibration/${run.name}`);
  const training: number[][] = [];
  const validation: number[] = [];
  let validatesNext = 0;
  for (let block = 0; block < numBlocks; block++) {
    const place = block % BLOCKS_PER_VALIDATION;
    if (place === 0) validatesNext = Math.floor(draw() * Math.min(BLOCKS_PER_VALIDATION, numBlocks - block));
    const from = Math.floor((block * usable.length) / numBlocks);
    const to = Math.floor(((block + 1) * usable.length) / numBlocks);
    if (place === validatesNext) validation.push(...usable.slice(from, to));
    else training.push(usable.slice(from, to));
  }
  return { training, validation, numWarmUp };
}
