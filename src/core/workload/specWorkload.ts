import { ConfigError, InvariantError } from "../errors/simulationError.js";
import type { RequestSpec } from "../request/requestSpec.js";
import { ConversationWorkload } from "./conversationWorkload.js";
import { NO_LIMITS, type RunLimits, sendDraft } from "./runLimits.js";
import { openSpecs, SpecSource } from "./specSource.js";
import type { SpecStream } from "./specStream.js";
import { ClosedStarts } from "./startSchedule.js";
import type { Workload } from "./workload.js";

/** Replays requests at their own arrival times. */
class SpecWorkload implements Workload {
  readonly ignoresFinishes = true;
  readonly #specs: Iterator<RequestSpec>;
  readonly #timeScale: number;
  readonly #limits: RunLimits;
  /** What is sent next; null when there is nothing more. */
  #next: RequestSpec | null = null;
  #nextArrivalUs = Number.POSITIVE_INFINITY;
  #numTaken = 0;

  constructor(specs: Iterator<RequestSpec>, timeScale: number, limits: RunLimits) {
    this.#specs = specs;
    this.#timeScale = timeScale;
    this.#limits = limits;
    this.#advance();
  }

  peekArrivalUs(): number {
    return this.#nextArrivalUs;
  }

  take(): RequestSpec {
    const spec = this.#next;
    if (spec === null) throw new InvariantError("take() called while no request is known");
    const sent = sendDraft(spec, this.#nextArrivalUs, this.#limits);
    this.#numTaken++;
    this.#advance();
    return sent;
  }

  onFinished(): void {}

  #advance(): void {
    const { maxRequests, endUs } = this.#limits;
    const { value: spec, done } = this.#specs.next();
    const arrivalUs = done === true ? Number.POSITIVE_INFINITY : Math.round(spec.arrivalUs * this.#timeScale);
    const isSent = this.#numTaken < maxRequests && arrivalUs < endUs;
    if (!isSent && done !== true) this.#specs.return?.();
    this.#next = isSent ? spec : null;
    this.#nextArrivalUs = isSent ? arrivalUs : Number.POSITIVE_INFINITY;
  }
}

/** How `workloadFromSpecs` changes a list of requests; all may be left out. */
export interface SpecWorkloadOptions {
  /** Factor on arrival times, > 0. */
  readonly timeScale?: number;
  readonly limits?: RunLimits;
}

/**
 * Open loop over known requests, at their own times.
 * @param specs a list in any order, in which equal arrivals keep theirs; not copied when already sorted, so leave it
 *   alone afterwards. Or a stream
 * @throws ConfigError when two requests share an id, or an arrival is negative or not an integer
 */
export function workloadFromSpecs(
  specs: readonly RequestSpec[] | SpecStream,
  options: SpecWorkloadOptions = {},
): Workload {
  const opened = openSpecs("open" in specs ? specs : sortedByArrival(specs));
  return new SpecWorkload(opened, options.timeScale ?? 1, options.limits ?? NO_LIMITS);
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
