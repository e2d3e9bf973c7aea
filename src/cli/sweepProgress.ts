import type { FailedPoint, PointResult } from "../core/analysis/sweep/sweepPoint.js";
import { endProgress, showProgress } from "./progressLine.js";

const MS_PER_S = 1000;
const S_PER_MIN = 60;

/**
 * How far a sweep is, on stderr: one line that is overwritten on a terminal, elsewhere a line for each point. A point
 * that failed is said in both.
 */
export class SweepProgress {
  readonly #numSeeds: number;
  #numPoints: number;
  readonly #startedMs = performance.now();
  #numSimulated = 0;
  #numDone = 0;
  #numPointsDone = 0;
  /** Reasons that were said, by server: one that cannot work says so at every load. */
  readonly #saidFailures = new Set<string>();

  constructor(numPoints: number, numSeeds: number) {
    this.#numPoints = numPoints;
    this.#numSeeds = numSeeds;
  }

  /** Runs of the sweep, as far as is known. */
  get numRuns(): number {
    return this.#numPoints * this.#numSeeds;
  }

  /** More points are tried than was known. */
  onFurther(numFurther: number): void {
    this.#numPoints += numFurther;
  }

  /** A run is there. @param isNew whether it took time, or was on disk */
  onRun(isNew: boolean): void {
    this.#numDone++;
    if (isNew) this.#numSimulated++;
    showProgress(this.#numDone, this.numRuns, `runs${this.#left()}`);
  }

  onPoint(point: PointResult): void {
    this.#numPointsDone++;
    const place = `${this.#numPointsDone}/${this.#numPoints} ${point.label}`;
    if (point.error !== null) {
      endProgress();
      process.stderr.write(`${place}: failed${this.#failureWords(point)}\n`);
    } else if (!process.stderr.isTTY) process.stderr.write(`${place}${this.#left()}\n`);
  }

  /** The reason, once for each server. */
  #failureWords({ series, error }: FailedPoint): string {
    const failure = JSON.stringify([series, error]);
    if (this.#saidFailures.has(failure)) return " for the same reason";
    this.#saidFailures.add(failure);
    return `: ${error}`;
  }

  end(): void {
    endProgress();
  }

  /** `, 12 s left`, going by the runs that were simulated; nothing before the first and after the last. */
  #left(): string {
    const numLeft = this.numRuns - this.#numDone;
    if (this.#numSimulated === 0 || numLeft === 0) return "";
    const leftS = ((performance.now() - this.#startedMs) / this.#numSimulated / MS_PER_S) * numLeft;
    return `, ${durationWords(leftS)} left`;
  }
}

/** `45 s`, `3 min`. */
function durationWords(seconds: number): string {
  return seconds < 2 * S_PER_MIN ? `${Math.ceil(seconds)} s` : `${Math.round(seconds / S_PER_MIN)} min`;
}
