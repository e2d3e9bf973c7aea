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

/**
 * The state of a server over time in at most `maxSlices` equal slices from time 0, whatever the length of the run:
 * when time runs past the last one, slices are joined in pairs.
 */
export class TimeSlices {
  readonly #maxSlices: number;
  /** A hole where no step started. */
  #sums: (Sums | undefined)[] = [];
  #widthUs = FIRST_WIDTH_US;

  /** @param maxSlices even, ≥ 2 */
  constructor(maxSlices = 60) {
    this.#maxSlices = maxSlices;
  }

  add({ startUs, gpuUs, kvFraction, running, waiting }: LoadSample): void {
    while (startUs >= this.#widthUs * this.#maxSlices) this.#join();
    const index = Math.floor(startUs / this.#widthUs);
    this.#sums[index] = joined(this.#sums[index], {
      gpuUs,
      kvFractionUs: kvFraction * gpuUs,
      runningUs: running * gpuUs,
      waiting,
    });
  }

  slices(): TimeSlice[] {
    return Array.from(this.#sums, (sums, index) => {
      const bounds = { startUs: index * this.#widthUs, endUs: (index + 1) * this.#widthUs };
      if (sums === undefined || sums.gpuUs === 0)
        return { ...bounds, gpuUs: 0, kvFraction: null, running: null, waiting: null };
      const { gpuUs, kvFractionUs, runningUs, waiting } = sums;
      return { ...bounds, gpuUs, kvFraction: kvFractionUs / gpuUs, running: runningUs / gpuUs, waiting };
    });
  }

  #join(): void {
    const pairs = Math.ceil(this.#sums.length / 2);
    this.#sums = Array.from({ length: pairs }, (_, i) => joined(this.#sums[2 * i], this.#sums[2 * i + 1]));
    this.#widthUs *= 2;
  }
}

function joined(a: Sums, b: Sums | undefined): Sums;
function joined(a: Sums | undefined, b: Sums): Sums;
function joined(a: Sums | undefined, b: Sums | undefined): Sums | undefined;
function joined(a: Sums | undefined, b: Sums | undefined): Sums | undefined {
  if (a === undefined) return b;
  if (b === undefined) return a;
  return {
    gpuUs: a.gpuUs + b.gpuUs,
    kvFractionUs: a.kvFractionUs + b.kvFractionUs,
    runningUs: a.runningUs + b.runningUs,
    waiting: Math.max(a.waiting, b.waiting),
  };
}
