import * as z from "zod";
import { type PriceTable, priceOf } from "../core/analysis/plan/priceTable.js";
import type { PlanQuestion } from "../core/analysis/plan/searchPlan.js";
import type { SweepSeries } from "../core/analysis/sweep/runSweep.js";
import { ConfigError } from "../core/errors/simulationError.js";
import { parseSlo } from "../core/metrics/slo.js";
import { loadGpuCatalog, loadGpuEfficiency } from "../io/catalog.js";
import { readPrices } from "../io/plan/readPrices.js";
import { type Arguments, numberFlag } from "./deploymentOptions.js";
import { askedGrid } from "./sweepGrid.js";

/** Seeds where nobody says. */
const DEFAULT_SEEDS = 5;
const MAX_SEEDS = 500;
const TENSOR_PARALLEL_SIZES = "1,2,4,8";
/** Profiles that have a rate to look for. */
const OPEN_PROFILES = ["poisson", "constant", "gamma"];

/** What a command line asks to plan. */
export interface AskedPlan {
  readonly series: readonly SweepSeries[];
  readonly question: PlanQuestion;
  /** GPUs with kernel efficiencies of their own that are not considered because nobody says what they cost. */
  readonly unpricedGpus: readonly string[];
}

/**
 * The servers a command line considers and what is asked of them. Where it names no GPU these are all that have kernel
 * efficiencies of their own and a price; where it names no tensor parallelism, each of the usual sizes.
 * @throws ConfigError, DataFileError for a broken price table
 */
export function askedPlan(argv: Arguments): AskedPlan {
  if (argv.slo === undefined) {
    const allowed = 'say what must hold, as in --slo "p99 ttft<=500ms, p95 itl<=40ms"';
    throw new ConfigError([{ path: "--slo", received: "nothing", allowed }]);
  }
  const slo = parseSlo(String(argv.slo));
  if (argv.rate !== undefined) {
    const allowed = "leave it out: a plan finds the rate; the load to carry in all is --target-rate";
    throw new ConfigError([{ path: "--rate", received: String(argv.rate), allowed }]);
  }
  const prices = readPrices(argv.prices === undefined ? null : String(argv.prices));
  const numSeeds = numberFlag(argv, "seeds", z.number().int().min(1).max(MAX_SEEDS)) ?? DEFAULT_SEEDS;
  const { sweep } = askedGrid({
    ...argv,
    // The SLO is the plan's, which may limit every request.
    slo: undefined,
    // One load stands for all: which ones are tried is what the search finds out.
    rate: "1",
    // As many again check what was found.
    seeds: String(2 * numSeeds),
    vary: candidates(argv, prices),
  });
  requireRates(sweep.series);
  const targetPerS = numberFlag(argv, "target-rate", z.number().gt(0).max(1e6));
  const seeds = { seeds: sweep.seeds.slice(0, numSeeds), checkSeeds: sweep.seeds.slice(numSeeds) };
  const considered = new Set(sweep.series.flatMap(({ configs }) => configs.map(({ gpu }) => gpu)));
  return {
    series: sweep.series,
    question: { slo, targetPerS, ...seeds, prices },
    unpricedGpus: namesGpu(argv) ? [] : fittedGpus().filter((gpu) => !considered.has(gpu)),
  };
}

/** The axes of the grid of servers, as `--vary` gives them. */
function candidates(argv: Arguments, prices: PriceTable): string[] {
  const given = (argv.vary ?? []) as readonly string[];
  const hasSize =
    isGiven(argv, "tensor-parallel-size", "config") ||
    isVaried(argv, "tp", "tensor-parallel-size", "tensorParallelSize", "engine.tensorParallelSize");
  return [
    ...(namesGpu(argv) ? [] : [`gpu=${knownGpus(prices).join(",")}`]),
    ...(hasSize ? [] : [`tensorParallelSize=${TENSOR_PARALLEL_SIZES}`]),
    ...given,
  ];
}

function namesGpu(argv: Arguments): boolean {
  return isGiven(argv, "gpu", "config") || isVaried(argv, "gpu");
}

function isGiven(argv: Arguments, ...flags: readonly string[]): boolean {
  return flags.some((flag) => argv[flag] !== undefined);
}

function isVaried(argv: Arguments, ...keys: readonly string[]): boolean {
  const given = (argv.vary ?? []) as readonly string[];
  return given.some((text) => keys.includes(text.split("=", 1)[0]!.trim()));
}

function fittedGpus(): string[] {
  return loadGpuCatalog()
    .map(({ id }) => id)
    .filter((id) => loadGpuEfficiency(id) !== null);
}

function knownGpus(prices: PriceTable): string[] {
  const known = loadGpuCatalog().filter(({ id }) => priceOf(prices, id) !== null);
  const fitted = known.filter(({ id }) => loadGpuEfficiency(id) !== null);
  const gpus = fitted.length > 0 ? fitted : known;
  if (gpus.length > 0) return gpus.map(({ id }) => id);
  const allowed = "has no price of a built-in GPU: say with --gpu which to plan for";
  throw new ConfigError([{ path: "--prices", received: `${prices.prices.length} prices`, allowed }]);
}

/** A plan looks for the rate of arrivals, and counts the requests of its trials. */
function requireRates(series: readonly SweepSeries[]): void {
  for (const { workload } of series.flatMap(({ configs }) => configs)) {
    if (workload.data.kind === "trace") {
      const allowed =
        "must be generated: the times of a trace are its own. Try replay with --time-scale, or a workload with its lengths";
      throw new ConfigError([{ path: "--data", received: "a trace", allowed }]);
    }
    if (!OPEN_PROFILES.includes(workload.profile.kind)) {
      const allowed = `must be one of ${OPEN_PROFILES.join(", ")}: a plan looks for the rate of arrivals`;
      throw new ConfigError([{ path: "--profile", received: workload.profile.kind, allowed }]);
    }
    if (workload.maxRequests === null || workload.maxSeconds !== null) {
      const allowed = "leave it out: trials end by requests (--max-requests), so that none is cut off at the end";
      throw new ConfigError([{ path: "--max-seconds", received: String(workload.maxSeconds), allowed }]);
    }
  }
}
