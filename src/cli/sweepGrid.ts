import * as z from "zod";
import { DEFAULT_SWEEP_SIZE, NUM_CALIBRATION_RUNS } from "../core/analysis/sweep/guidellmSweepRates.js";
import type { Sweep, SweepSeries } from "../core/analysis/sweep/runSweep.js";
import { spacedSeeds } from "../core/analysis/sweep/spacedSeeds.js";
import type { SweepGrid } from "../core/analysis/sweep/sweepResult.js";
import { parseConfig, printValue, valueAt } from "../core/config/parseConfig.js";
import { type RunConfig, runConfigSchema } from "../core/engine/runConfig.js";
import { ConfigError, type ConfigIssue } from "../core/errors/simulationError.js";
import { parseSlo, type Slo } from "../core/metrics/slo.js";
import { turnsPerStart } from "../core/workload/turnsPerStart.js";
import { loadGpu, loadModel } from "../io/catalog.js";
import { withFileHashes } from "../io/pricingFiles.js";
import { WORKLOAD_PRESETS } from "../io/workloadPresets.js";
import { setPath } from "./configFlags.js";
import { type Arguments, DEPLOYMENT_FLAGS, givenConfig, numberFlag, withFlagNames } from "./deploymentOptions.js";
import { axisName, type GridAxis, gridAxes, withVaryHint } from "./gridAxes.js";
import { parseRates } from "./rateList.js";
import { withOurWords } from "./vllmWords.js";
import { WORKLOAD_FLAGS, WORKLOAD_PLACES, withWorkload } from "./workloadOptions.js";

const FLAGS = [...DEPLOYMENT_FLAGS, ...WORKLOAD_FLAGS];

/** Flags that say what each point of a sweep is made from. */
export const SWEEP_FLAGS = [...FLAGS, ...WORKLOAD_PLACES];

/**
 * Requests of each run where nobody says, or of sessions their first ones: a preset's few hundred are over before a server
 * near saturation has settled.
 */
const DEFAULT_STARTS = 2000;

/** Servers times loads at most. */
const MAX_POINTS = 100_000;

/** What a command line asks to sweep. */
export interface AskedSweep {
  readonly sweep: Sweep;
  readonly grid: SweepGrid;
}

/**
 * The sweep that a command line describes; of sessions its runs are as many times longer as these have turns, where nobody
 * says how long they are.
 * @throws ConfigError naming every problem of any point
 */
export function askedSweep(argv: Arguments): AskedSweep {
  const { sweep, grid } = askedGrid(argv);
  if (saysHowMany(argv) || grid.axes.some(({ path }) => path === "workload.maxRequests")) return { sweep, grid };
  const series = sweep.series.map((one) => ({ ...one, configs: one.configs.map(withWholeSessions) }));
  return { sweep: { ...sweep, series }, grid };
}

function withWholeSessions(config: RunConfig): RunConfig {
  const { workload } = config;
  const maxRequests = Math.round(DEFAULT_STARTS * turnsPerStart(workload.data));
  return { ...config, workload: { ...workload, maxRequests } };
}

/**
 * The servers and loads that a command line describes: a series for each combination of `--vary`, in each the loads of `--rate`, else
 * those of GuideLLM's sweep profile, else the one that `--profile` names.
 * @throws ConfigError naming every problem of any point
 */
export function askedGrid(argv: Arguments): AskedSweep {
  const axes = gridAxes((argv.vary ?? []) as string[]);
  const slo = argv.slo === undefined ? {} : { slo: sweptSlo(String(argv.slo)) };
  const guidellmSize = sweepSize(argv);
  const rates = argv.rate === undefined || guidellmSize !== null ? null : parseRates(String(argv.rate));
  const numCombinations = axes.reduce((count, { values }) => count * values.length, 1);
  if (numCombinations * (guidellmSize ?? rates?.length ?? 1) > MAX_POINTS) {
    const allowed = `must make ${MAX_POINTS} points at most`;
    throw new ConfigError([{ path: "--vary", received: `${numCombinations} combinations`, allowed }]);
  }
  const limits = saysHowMany(argv) ? {} : { "max-requests": String(DEFAULT_STARTS) };
  const loads = { ...argv, ...limits, ...(guidellmSize === null ? {} : { profile: "synchronous", rate: undefined }) };
  const problems = new Map<string, ConfigIssue>();
  const series = product(axes).map((values) => seriesOf(axes, values, rates, loads, problems));
  if (problems.size > 0) throw new ConfigError([...problems.values()]);
  requireNames(series, axes);
  const seeds = seedsOf(argv, series);
  const grid = {
    axes: axes.map(({ path }, i) => ({ path, values: axisValues(series, path, axes[i]!) })),
    rates,
    guidellmSize,
    seeds,
  };
  return { sweep: { series, seeds, guidellmSize, ...slo }, grid };
}

/** Whether the user says when runs end: by a limit, or in a file of their own. */
function saysHowMany({ workload, data, ...argv }: Arguments): boolean {
  const isFile = workload !== undefined && !(WORKLOAD_PRESETS as readonly unknown[]).includes(workload);
  const isTrace = data !== undefined && !String(data).includes("=");
  return isFile || isTrace || ["max-requests", "max-seconds", "config"].some((flag) => argv[flag] !== undefined);
}

/** Benchmarks of GuideLLM's sweep profile; null where the loads are others. GuideLLM up to 0.6 calls them `--rate`. */
function sweepSize(argv: Arguments): number | null {
  const isSweep = argv.profile === "sweep" || (argv.profile === undefined && argv.rate === undefined);
  if (argv["sweep-size"] !== undefined && (!isSweep || argv.rate !== undefined)) {
    const allowed = "is of --profile sweep without --rate; give one of the two";
    throw new ConfigError([{ path: "--sweep-size", received: String(argv["sweep-size"]), allowed }]);
  }
  if (!isSweep) return null;
  rejectOtherProfiles(argv);
  const schema = z.number().int().min(NUM_CALIBRATION_RUNS).max(1000);
  return numberFlag(argv, argv.rate === undefined ? "sweep-size" : "rate", schema) ?? DEFAULT_SWEEP_SIZE;
}

/** @throws ConfigError for options of profiles that GuideLLM's sweep is not made of */
function rejectOtherProfiles(argv: Arguments): void {
  const allowed = "--profile sweep does not use it; with another one give --profile, and --rate where it has one";
  const issues = ["burstiness", "max-concurrency", "time-scale"]
    .filter((flag) => argv[flag] !== undefined)
    .map((flag) => ({ path: `--${flag}`, received: String(argv[flag]), allowed }));
  if (issues.length > 0) throw new ConfigError(issues);
}

/** Every combination of the axes' values, the last axis changing fastest; one empty combination without axes. */
function product(axes: readonly GridAxis[]): (readonly unknown[])[] {
  return axes.reduce<(readonly unknown[])[]>(
    (combinations, { values }) => combinations.flatMap((before) => values.map((value) => [...before, value])),
    [[]],
  );
}

function seriesOf(
  axes: readonly GridAxis[],
  values: readonly unknown[],
  rates: readonly number[] | null,
  argv: Arguments,
  problems: Map<string, ConfigIssue>,
): SweepSeries {
  const configs = (rates ?? [null]).flatMap((rate) => {
    const flags = axes.flatMap(({ flag }, i) => (flag === null ? [] : [[flag, values[i]]]));
    const given = { ...argv, ...Object.fromEntries(flags), ...(rate === null ? {} : { rate: String(rate) }) };
    try {
      return withFileHashes(withFlagNames(given, SWEEP_FLAGS, () => pointConfig(given, axes, values)));
    } catch (error) {
      if (!(error instanceof ConfigError)) throw error;
      for (const issue of error.issues) addProblem(problems, issue, axes);
      return [];
    }
  });
  const [first] = configs;
  const varied = Object.fromEntries(
    axes.map((axis, i) => [axis.path, first === undefined ? null : variedValue(first, axis, values[i])]),
  );
  return { label: labelOf(varied), varied, configs };
}

function pointConfig(argv: Arguments, axes: readonly GridAxis[], values: readonly unknown[]): RunConfig {
  const config = structuredClone(withWorkload(givenConfig(argv, FLAGS), argv)) as Record<string, unknown>;
  axes.forEach(({ flag, path }, i) => {
    if (flag === null) setPath(config, path, values[i]);
  });
  return parseConfig(runConfigSchema, withOurWords(config), "");
}

function addProblem(problems: Map<string, ConfigIssue>, issue: ConfigIssue, axes: readonly GridAxis[]): void {
  const axis = axes.find(({ path, flag }) => path === issue.path || (flag !== null && issue.path === `--${flag}`));
  const named = axis === undefined ? withVaryHint(issue) : { ...issue, path: axisName(axis) };
  problems.set(`${named.path} ${named.received}`, named);
}

/** A value as the config has it; of a preset or a profile, its name. */
function variedValue(config: RunConfig, { path }: GridAxis, given: unknown): unknown {
  const value = valueAt(config, path.split("."));
  return typeof value === "object" && value !== null ? given : value;
}

function axisValues(series: readonly SweepSeries[], path: string, { values }: GridAxis): unknown[] {
  const found = new Map(series.map(({ varied }) => [printValue(varied[path]), varied[path]]));
  return found.size === values.length ? [...found.values()] : [...values];
}

/** `tensorParallelSize=2 gpu=L40S`. */
function labelOf(varied: Readonly<Record<string, unknown>>): string {
  const paths = Object.keys(varied);
  const short = (path: string) => path.split(".").at(-1)!;
  const isUnique = (path: string) => paths.filter((other) => short(other) === short(path)).length === 1;
  return paths.map((path) => `${isUnique(path) ? short(path) : path}=${String(varied[path])}`).join(" ");
}

/** Models and GPUs that nobody knows are said before the first run, and not by half of the points. */
function requireNames(series: readonly SweepSeries[], axes: readonly GridAxis[]): void {
  const configs = series.flatMap(({ configs }) => configs);
  try {
    for (const model of new Set(configs.map((config) => config.model))) loadModel(model);
    for (const gpu of new Set(configs.map((config) => config.gpu))) loadGpu(gpu);
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    const named = error.issues.map((issue) => {
      const axis = axes.find(({ path }) => issue.path === `--${path}`);
      return axis === undefined ? withVaryHint(issue) : { ...issue, path: axisName(axis) };
    });
    throw new ConfigError(named);
  }
}

/** @throws ConfigError for limits on each request, which a sweep does not keep */
function sweptSlo(text: string): Slo {
  const slo = parseSlo(text);
  if (slo.limits.every(({ statistic }) => statistic !== null)) return slo;
  const allowed = "must limit statistics in a sweep, as in p99 ttft<=500ms: it does not keep every request";
  throw new ConfigError([{ path: "--slo", received: JSON.stringify(text), allowed }]);
}

function seedsOf(argv: Arguments, series: readonly SweepSeries[]): number[] {
  const numSeeds = numberFlag(argv, "seeds", z.number().int().min(1).max(1000)) ?? 1;
  const first = series[0]?.configs[0]?.seed ?? 0;
  return spacedSeeds(first, numSeeds);
}
