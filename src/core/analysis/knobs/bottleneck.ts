import type { RunSummary } from "../../engine/simulate.js";
import type { LimitShares, RunDigest } from "../digest/runDigest.js";
import type { Bound } from "../stepLog.js";

/**
 * What to change first: a limit that keeps requests waiting, the front end, or what the steps themselves take.
 * `wait` is what a step takes without a kernel running: gaps between kernels, ranks waiting for each other.
 */
export type BottleneckKind = "front-end" | "sequences" | "token-budget" | "kv-cache" | Bound;

export interface Bottleneck {
  readonly kind: BottleneckKind;
  /** How much of the time it holds, 0–1: of simulated time for the front end, else of GPU time. */
  readonly share: number;
}

/** Share of time above which the front end, not the GPU, sets the pace. */
const FRONT_END_LIMIT = 0.9;
/** A quarter of the time somebody waits: from here on queues, not steps, make the latency. */
const LIMITED_FRACTION = 0.25;

const LIMIT_KINDS: Readonly<Record<keyof LimitShares, BottleneckKind>> = {
  sequences: "sequences",
  tokens: "token-budget",
  kvBlocks: "kv-cache",
};

/** What holds a run back most. null when the GPU did nothing. */
export function findBottleneck(
  { engine }: Pick<RunSummary, "engine">,
  { limits, bounds }: Pick<RunDigest, "limits" | "bounds">,
): Bottleneck | null {
  const { frontEndBusyFraction } = engine;
  if (frontEndBusyFraction > FRONT_END_LIMIT) return { kind: "front-end", share: frontEndBusyFraction };
  const limited = limits.sequences + limits.tokens + limits.kvBlocks;
  if (limited >= LIMITED_FRACTION) {
    const kinds = Object.keys(LIMIT_KINDS) as (keyof LimitShares)[];
    const most = kinds.reduce((a, b) => (limits[b] > limits[a] ? b : a));
    return { kind: LIMIT_KINDS[most], share: limits[most] };
  }
  const [largest] = bounds;
  return largest === undefined ? null : { kind: largest.bound, share: largest.fraction };
}
