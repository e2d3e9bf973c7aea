import type { ComparedRun, ComparedSummary } from "../../src/core/analysis/diff/comparedRun.js";
import { noIntervalReason } from "../../src/core/analysis/diff/noIntervalReason.js";
import { latencyMs, PAIRED_LATENCIES, pairedChange } from "../../src/core/analysis/diff/pairedChange.js";
import { pairRequests } from "../../src/core/analysis/diff/pairRequests.js";
import { spacedSeeds } from "../../src/core/analysis/sweep/spacedSeeds.js";
import { parseConfig } from "../../src/core/config/parseConfig.js";
import { createStream } from "../../src/core/des/streams.js";
import { type RunConfig, runConfigSchema } from "../../src/core/engine/runConfig.js";
import { simulate } from "../../src/core/engine/simulate.js";
import type { Interval } from "../../src/core/metrics/interval.js";
import { tInterval } from "../../src/core/metrics/tInterval.js";
import { deploymentOf } from "../../src/io/sweep/loadedInputs.js";
import { comparedRequest } from "./comparedRequest.js";
import { INTERVAL_METHODS } from "./intervalMethods.js";
import { CHAT, SCENARIOS, type Scenario } from "./scenarios.js";

/**
 * How often a 95 % interval of a mean change holds the truth: the expected change in a run of that length, as the mean over
 * runs of all seeds. Each of the judged runs gives an interval by each method from its own requests; groups of seeds
 * give one by Student's t.
 */
const NUM_RUNS = 400;
const NUM_JUDGED = 200;
const SEED_COUNTS = [5, 10, 30];
/** 97.5 % point of the standard normal distribution. */
const NORMAL_975 = 1.96;

/** One pair of runs of a seed. */
interface JudgedRun {
  /** Change of each request, ms, by latency. */
  readonly changesMs: readonly (readonly number[])[];
  /** What `roofserve diff` prints, by latency. */
  readonly printed: readonly (Interval | null)[];
}

const wanted = process.argv[2] ?? "";
const titles = ["scenario", "change of mean", "truth, ms", ...Object.keys(INTERVAL_METHODS)];
const columns = [...titles, ...SEED_COUNTS.map((count) => `${count} seeds`), "diff prints", "and covers"];
process.stdout.write(`| ${columns.join(" | ")} |\n|${columns.map(() => " --- ").join("|")}|\n`);
for (const scenario of SCENARIOS.filter(({ name }) => name.startsWith(wanted))) report(scenario);

function report(scenario: Scenario): void {
  const runs = spacedSeeds(42, NUM_RUNS).map((seed) => judgedRun(scenario, seed));
  PAIRED_LATENCIES.forEach((latency, i) => {
    const means = runs.map(({ changesMs }) => mean(changesMs[i]!));
    const truth = mean(means);
    const deviation = Math.sqrt(mean(means.map((value) => (value - truth) ** 2)));
    const judged = runs.slice(0, NUM_JUDGED);
    const cell = (intervals: readonly (Interval | null)[], numValues = 1) =>
      `${percent(coverage(intervals, truth))} (${(width(intervals) / ((NORMAL_975 * deviation) / Math.sqrt(numValues))).toFixed(1)})`;
    const methods = Object.values(INTERVAL_METHODS).map((method) =>
      cell(judged.map(({ changesMs }) => method(changesMs[i]!))),
    );
    const seeds = SEED_COUNTS.map((count) => cell(seedIntervals(means, count), count));
    const printed = judged.map((run) => run.printed[i]!).filter((interval) => interval !== null);
    const product = [
      percent(printed.length / NUM_JUDGED),
      printed.length === 0 ? "–" : percent(coverage(printed, truth)),
    ];
    const name = i === 0 ? scenario.name : "";
    const row = [name, latency, `${truth.toFixed(2)} ± ${deviation.toFixed(2)}`, ...methods, ...seeds, ...product];
    process.stdout.write(`| ${row.join(" | ")} |\n`);
  });
}

function judgedRun(scenario: Scenario, seed: number): JudgedRun {
  const [a, b] = [comparedRun(scenario, "a", seed), comparedRun(scenario, "b", seed)];
  const pairing = pairRequests(a, b);
  if (!pairing.isPaired) throw new Error(pairing.reason);
  const { pairs } = pairing;
  const paired = pairedChange(pairs, { ...pairing, noInterval: noIntervalReason(a, b, pairs) });
  return {
    changesMs: PAIRED_LATENCIES.map((latency) =>
      pairs.map((pair) => latencyMs(pair.b, latency) - latencyMs(pair.a, latency)).filter((ms) => !Number.isNaN(ms)),
    ),
    printed: paired.latencies.map(({ meanInterval }) => meanInterval),
  };
}

function comparedRun({ profile, numRequests, ...sides }: Scenario, side: "a" | "b", seed: number): ComparedRun {
  const workload = { profile, data: CHAT, maxRequests: numRequests };
  const config: RunConfig = parseConfig(runConfigSchema, { ...sides[side], workload, seed }, "");
  const { summary, records, specs } = simulate(deploymentOf(config), config);
  const requests = records.map((record, i) => comparedRequest(record, specs[i]!.maxTokens));
  return { name: side, summary: summary as ComparedSummary, requests, steps: null };
}

/** Of as many groups of runs as there are runs, drawn with replacement. */
function seedIntervals(means: readonly number[], count: number): (Interval | null)[] {
  const draw = createStream(count, "coverage");
  const pick = () => means[Math.floor(draw() * means.length)]!;
  return means.map(() => tInterval(Array.from({ length: count }, pick)));
}

function coverage(intervals: readonly (Interval | null)[], truth: number): number {
  return (
    intervals.filter((interval) => interval !== null && interval.low <= truth && interval.high >= truth).length /
    intervals.length
  );
}

/** The middle one of the half widths. */
function width(intervals: readonly (Interval | null)[]): number {
  const widths = intervals.map((interval) => (interval === null ? 0 : (interval.high - interval.low) / 2));
  return widths.sort((x, y) => x - y)[widths.length >> 1]!;
}

function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}

function percent(fraction: number): string {
  return `${Math.round(100 * fraction)} %`;
}
