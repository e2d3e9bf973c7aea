import { spawnSync } from "node:child_process";

/** Wall times of one thing, ms. */
export interface Timing {
  readonly medianMs: number;
  readonly minMs: number;
  readonly maxMs: number;
}

/** Median, least and largest of at least one time. */
export function timing(timesMs: readonly number[]): Timing {
  const sorted = [...timesMs].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  const upper = sorted[middle]!;
  return {
    medianMs: sorted.length % 2 === 1 ? upper : (sorted[middle - 1]! + upper) / 2,
    minMs: sorted[0]!,
    maxMs: sorted.at(-1)!,
  };
}

/** The median of ratios taken pair by pair, so that a machine whose speed drifts does not spoil them. */
export function medianRatio(numeratorsMs: readonly number[], denominatorsMs: readonly number[]): number {
  return timing(numeratorsMs.map((ms, i) => ms / denominatorsMs[i]!)).medianMs;
}

/** How long a call takes, ms; its result must be used by the caller. */
export function timeMs(call: () => void): number {
  // Not a full collection, which would throw the compiled code away too: the next call would take six times as long.
  globalThis.gc?.({ type: "minor" });
  const startedMs = performance.now();
  call();
  return performance.now() - startedMs;
}

/** Arguments of Node with which a process tells its peak of memory on stderr when it ends. */
export const TELL_PEAK_MEMORY = [
  "--import",
  `data:text/javascript,${encodeURIComponent(
    'process.on("exit", () => console.error("peak KiB", process.resourceUsage().maxRSS))',
  )}`,
];

/** What a process told because of `TELL_PEAK_MEMORY`, MiB. */
export function toldPeakMiB(stderr: string): number {
  return Number(/^peak KiB (\d+)$/m.exec(stderr)?.[1]) / 1024;
}

/** Runs a Node process to its end: how long it took, and what it said on stderr. @throws when it fails */
export function measuredProcess(args: readonly string[]): { readonly ms: number; readonly stderr: string } {
  const startedMs = performance.now();
  const { status, stderr } = spawnSync(process.execPath, args, { encoding: "utf8", maxBuffer: 1 << 28 });
  const ms = performance.now() - startedMs;
  if (status !== 0) throw new Error(`node ${args.join(" ")} ended with code ${status}:\n${stderr}`);
  return { ms, stderr };
}

/** Exponent k of the power law cost ~ size^k through the points, by least squares of logarithms. */
export function growthExponent(sizes: readonly number[], costs: readonly number[]): number {
  const x = sizes.map(Math.log);
  const y = costs.map(Math.log);
  const mean = (values: readonly number[]) => values.reduce((sum, value) => sum + value, 0) / values.length;
  const [meanX, meanY] = [mean(x), mean(y)];
  const covariance = x.reduce((sum, value, i) => sum + (value - meanX) * (y[i]! - meanY), 0);
  return covariance / x.reduce((sum, value) => sum + (value - meanX) ** 2, 0);
}
