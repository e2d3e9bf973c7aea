import type { Hypothesis } from "../../config/pricingConfig.js";
import { sortedPercentile } from "../../metrics/distribution.js";
import { type Check, check } from "./finding.js";
import { type BenchExperiment, type ReplayBench, variants } from "./replayBench.js";
import {
  type JumpCount,
  jumpCount,
  type KvLengthSweep,
  kvLengthSweep,
  type MixSweep,
  mixSweep,
} from "./syntheticSweeps.js";

/** Decode batches of the H4 sweep: from memory-bound products to compute-bound ones. */
const SWEPT_BATCHES: readonly number[] = [32, 128, 256, 512, 1024];
/** Tokens of a step in the H5 sweep. */
const MIXED_TOKENS = 512;

/** A synthetic sweep and the server whose step model it prices. */
export type OfServer<T> = T & { readonly server: string };

/** Part A of the hypotheses that have one. */
export interface ServerSweeps {
  readonly kvLengthSweeps: readonly OfServer<KvLengthSweep>[];
  readonly mixSweeps: readonly OfServer<MixSweep>[];
  readonly jumpCounts: readonly OfServer<JumpCount>[];
}

/** Hypotheses with a part A: each is swept once per server. */
export const NUM_SERVER_SWEEPS = 3;

/** Part A on every distinct server of the experiments, priced by the additive model with and without the correction. */
export function sweepServers(
  subjects: readonly BenchExperiment[],
  bench: ReplayBench,
  onProgress: (what: string) => void,
): { readonly sweeps: ServerSweeps; readonly checks: Partial<Record<Hypothesis, readonly Check[]>> } {
  const servers = new Map(subjects.map((subject) => [serverName(subject), subject]));
  const ofEach = <T extends object>(hypothesis: Hypothesis, sweep: (pair: ReturnType<typeof pairOf>) => T[]) =>
    [...servers].flatMap(([server, subject]) => {
      onProgress(`${hypothesis} part A ${server}`);
      return sweep(pairOf(bench, subject, hypothesis)).map((result): OfServer<T> => ({ ...result, server }));
    });
  const kvLengthSweeps = ofEach("H4", (pair) => SWEPT_BATCHES.map((batchSize) => kvLengthSweep(pair, batchSize)));
  const mixSweeps = ofEach("H5", (pair) => [mixSweep(pair, MIXED_TOKENS)]);
  const jumpCounts = ofEach("H6", (pair) => [jumpCount(pair)]);
  return {
    sweeps: { kvLengthSweeps, mixSweeps, jumpCounts },
    checks: {
      H4: crossoverChecks(kvLengthSweeps),
      H5: mixSweepChecks(mixSweeps),
      H6: jumpChecks(jumpCounts),
    },
  };
}

function pairOf(bench: ReplayBench, subject: BenchExperiment, hypothesis: Hypothesis) {
  const { on, off } = variants("additive", hypothesis);
  return { on: bench.server(subject, on).stepModel, off: bench.server(subject, off).stepModel };
}

/** What distinguishes the servers that part A prices. */
export function serverName({ config }: BenchExperiment): string {
  return `${config.model} on ${config.engine.tensorParallelSize} × ${config.gpu}`;
}

/**
 * The median server must show 10 % somewhere among the batch sizes and KV lengths: at its crossover, where compute and
 * memory of the step are equal. Where experts keep a step memory-bound there is none.
 */
function crossoverChecks(sweeps: readonly OfServer<KvLengthSweep>[]): Check[] {
  const largest = new Map<string, number>();
  for (const { server, largest: widest } of sweeps) {
    largest.set(server, Math.max(largest.get(server) ?? 0, widest.differenceFraction));
  }
  const value = 100 * median([...largest.values()]);
  return [simulated("largest difference, median server:", value, "%", "≥ 10", (given) => given >= 10)];
}

function mixSweepChecks(sweeps: readonly MixSweep[]): Check[] {
  const value = 100 * median(sweeps.map(({ differenceFractionAtHalf }) => differenceFractionAtHalf));
  const numTurning = sweeps.filter(({ isMonotone }) => !isMonotone).length;
  return [
    simulated("difference at 50/50, median server:", value, "%", "≥ 15", (given) => given >= 15),
    simulated("servers whose additive price turns:", numTurning, "", "0", (given) => given === 0),
  ];
}

function jumpChecks(counts: readonly JumpCount[]): Check[] {
  const sum = (of: (count: JumpCount) => number) => counts.reduce((total, count) => total + of(count), 0);
  const before = sum(({ numJumpsOff }) => numJumpsOff);
  const value = before === 0 ? Number.NaN : 100 * (1 - sum(({ numJumpsOn }) => numJumpsOn) / before);
  return [simulated("jumps of 5 % gone", value, "%", "≥ 80", (given) => given >= 80)];
}

/** A check of what the simulator does: no run is replayed for it. */
function simulated(
  what: string,
  value: number,
  unit: string,
  required: string,
  isGood: (value: number) => boolean,
): Check {
  return check({ what, whatBelowZero: null, value, unit, required, loads: [] }, isGood);
}

function median(values: readonly number[]): number {
  return sortedPercentile(
    [...values].sort((a, b) => a - b),
    0.5,
  );
}
