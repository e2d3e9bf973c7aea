import { ConfigError, InvariantError } from "../errors/simulationError.js";
import type { RequestSpec } from "../request/requestSpec.js";
import { ConversationWorkload } from "./conversationWorkload.js";
import { NO_LIMITS, type RunLimits, sendDraft } from "./runLimits.js";
import { checkSpecs, SpecSource } from "./specSource.js";
import { ClosedStarts } from "./startSchedule.js";
import type { Workload } from "./workload.js";

/** Replays requests at their own arrival times. */
class SpecWorkload implements Workload {
  readonly ignoresFinishes = true;
  readonly #specs: readonly RequestSpec[];
  readonly #timeScale: number;
  readonly #limits: RunLimits;
  #next = 0;

  constructor(specs: readonly RequestSpec[], timeScale: number, limits: RunLimits) {
    this.#specs = specs;
    this.#timeScale = timeScale;
    this.#limits = limits;
  }

  peekArrivalUs(): number {
    const spec = this.#specs[this.#next];
    if (spec === undefined || this.#next >= this.#limits.maxRequests) return Number.POSITIVE_INFINITY;
    const arrivalUs = Math.round(spec.arrivalUs * this.#timeScale);
    return arrivalUs < this.#limits.endUs ? arrivalUs : Number.POSITIVE_INFINITY;
  }

  take(): RequestSpec {
    const arrivalUs = this.peekArrivalUs();
    if (!Number.isFinite(arrivalUs)) throw new InvariantError("take() called while no request is known");
    return sendDraft(this.#specs[this.#next++]!, arrivalUs, this.#limits);
  }

  onFinished(): void {}
}

/** How `workloadFromSpecs` changes a list of requests; all may be left out. */
export interface SpecWorkloadOptions {
  /** Factor on arrival times, > 0. */
  readonly timeScale?: number;
  readonly limits?: RunLimits;
}

/**
 * Open loop over known requests, at their own times.
 * @param specs in any order; equal arrivals keep theirs. Not copied when already sorted, so leave it alone afterwards
 * @throws ConfigError when two requests share an id, or an arrival is negative or not an integer
 */
export function workloadFromSpecs(specs: readonly RequestSpec[], options: SpecWorkloadOptions = {}): Workload {
  checkSpecs(specs);
  return new SpecWorkload(sortedByArrival(specs), options.timeScale ?? 1, options.limits ?? NO_LIMITS);
}

/** How `closedLoopWorkload` sends a list of requests; all may be left out. */
export interface ClosedLoopOptions {
  /** The first requests start spread over this long, µs. */
  readonly rampUpUs?: number;
  readonly limits?: RunLimits;
}

/**
 * Closed loop over known requests, in list order: the next is sent when one in flight ends.
 * @param concurrency requests in flight at most, ≥ 1; Infinity = all at once
 */
export function closedLoopWorkload(
  specs: readonly RequestSpec[],
  concurrency: number,
  options: ClosedLoopOptions = {},
): Workload {
  if (!(concurrency >= 1)) {
    throw new ConfigError([{ path: "concurrency", received: String(concurrency), allowed: "must be ≥ 1" }]);
  }
  const starts = new ClosedStarts(concurrency, options.rampUpUs ?? 0);
  return new ConversationWorkload(new SpecSource(specs), starts, options.limits ?? NO_LIMITS);
}

function sortedByArrival(specs: readonly RequestSpec[]): readonly RequestSpec[] {
  for (let i = 1; i < specs.length; i++) {
    if (specs[i]!.arrivalUs < specs[i - 1]!.arrivalUs) return [...specs].sort((a, b) => a.arrivalUs - b.arrivalUs);
  }
  return specs;
}
