import { JoiningBins } from "./joiningBins.js";

/** A stretch of a run, by the steps that started in it. */
export interface TimeSlice {
  readonly startUs: number;
  readonly endUs: number;
  /** GPU time of its steps, µs; a step that reaches into the next slice counts here whole. */
  readonly gpuUs: number;
  /** Means over that time; null without steps. */
  readonly kvFraction: number | null;
  readonly running: number | null;
  /** Longest queue; null without steps. */
  readonly waiting: number | null;
}

/** State of a server in one step. */
export interface LoadSample {
  readonly startUs: number;
  /** What the sample weighs, µs. */
  readonly gpuUs: number;
  readonly kvFraction: number;
  readonly running: number;
  readonly waiting: number;
}

interface Sums {
  gpuUs: number;
  kvFractionUs: number;
  runningUs: number;
  waiting: number;
}

const FIRST_WIDTH_US = 1000;

/** The state of a server over time in at most `maxSlices` equal slices from time 0, whatever the length of the run. */
export class TimeSlices {
  readonly #bins: JoiningBins<Sums>;

  /** @param maxSlices even, ≥ 2 */
  constructor(maxSlices = 60) {
    this.#bins = new JoiningBins({ maxBins: maxSlices, firstWidthUs: FIRST_WIDTH_US, join: joined });
  }

  add({ startUs, gpuUs, kvFraction, running, waiting }: LoadSample): void {
    this.#bins.add(startUs, { gpuUs, kvFractionUs: kvFraction * gpuUs, runningUs: running * gpuUs, waiting });
  }

  slices(): TimeSlice[] {
    const { widthUs } = this.#bins;
    return this.#bins.bins().map((sums, index) => {
      const bounds = { startUs: index * widthUs, endUs: (index + 1) * widthUs };
      if (sums === undefined || sums.gpuUs === 0)
        return { ...bounds, gpuUs: 0, kvFraction: null, running: null, waiting: null };
      const { gpuUs, kvFractionUs, runningUs, waiting } = sums;
      return { ...bounds, gpuUs, kvFraction: kvFractionUs / gpuUs, running: runningUs / gpuUs, waiting };
    });
  }
}

function joined(a: Sums, b: Sums): Sums {
  return {
    gpuUs: a.gpuUs + b.gpuUs,
    kvFractionUs: a.kvFractionUs + b.kvFractionUs,
    runningUs: a.runningUs + b.runningUs,
    waiting: Math.max(a.waiting, b.waiting),
  };
}
