import type { RequestSpec } from "../request/requestSpec.js";

/**
 * Where requests come from, pulled by the engine so that a trace of any length streams.
 * Open loop: arrivals do not depend on completions. Closed loop: `onFinished` makes further arrivals available.
 */
export interface Workload {
  /** Arrival of the next request, µs; Infinity when none is known now (more may follow a completion). */
  peekArrivalUs(): number;
  /** Takes the next request; only valid when `peekArrivalUs()` is finite. Arrivals never decrease. */
  take(): RequestSpec;
  /** Whether finishes change nothing here, so that nobody need tell them: an open loop. */
  readonly ignoresFinishes?: boolean;
  /**
   * The client has seen the end of a request (last token, rejection or its own timeout).
   * Requests it releases arrive at `nowUs` or later.
   */
  onFinished(spec: RequestSpec, nowUs: number): void;
}
