import { availableParallelism } from "node:os";
import type { ComparedRun } from "../../core/analysis/diff/comparedRun.js";
import { metricChanges } from "../../core/analysis/diff/metricChange.js";
import { isSameLoad, servedDifferences } from "../../core/analysis/diff/runDiff.js";
import { type SeedChange, seedChange } from "../../core/analysis/diff/seedChange.js";
import { spacedSeeds } from "../../core/analysis/sweep/spacedSeeds.js";
import type { SweepRun } from "../../core/analysis/sweep/sweepRun.js";
import type { TaskFailure } from "../../core/analysis/sweep/sweepTask.js";
import { parseConfig } from "../../core/config/parseConfig.js";
import { type RunConfig, runConfigSchema } from "../../core/engine/runConfig.js";
import { ConfigError, type ErrorCode, SimulationError } from "../../core/errors/simulationError.js";
import { SimulationPool } from "../sweep/simulationPool.js";

/** Both sides of a comparison being simulated anew. */
export interface RunningSeeds {
  readonly result: Promise<SimulatedSeeds>;
  /** Simulations to do in all. */
  readonly numRuns: number;
  /** Ends its threads, whether it is done or not. */
  readonly release: () => Promise<void>;
}

/** What came of it. */
export interface SimulatedSeeds {
  readonly change: SeedChange;
  /** A sentence for each side whose result is not what its config gives now. */
  readonly notes: readonly string[];
}

/** One side could not be simulated. */
class SeedRunError extends SimulationError {
  readonly code: ErrorCode;

  constructor(name: string, { code, message }: TaskFailure) {
    super(`${name}: ${message}`);
    this.code = code;
  }
}

/**
 * Simulates the configs of two results with the same seeds, from A's own on, on worker threads.
 * @param numSeeds ≥ 2
 * @param onRun told of each simulation that is done
 * @throws ConfigError for requests that no seed makes, and for configs that this version does not know
 */
export function simulateSeeds(a: ComparedRun, b: ComparedRun, numSeeds: number, onRun: () => void): RunningSeeds {
  const configs = [a, b].map(seededConfig) as [RunConfig, RunConfig];
  const seeds = spacedSeeds(configs[0].seed, numSeeds);
  const numRuns = seeds.length * configs.length;
  const pool = new SimulationPool(Math.min(availableParallelism(), numRuns), null);
  const simulate = async (config: RunConfig, { name }: ComparedRun): Promise<SweepRun[]> =>
    Promise.all(
      seeds.map(async (seed, repetition) => {
        const point = { label: name, index: 0 };
        const { run, failure } = await pool.run({ config: { ...config, seed }, benchmarkIndex: 0, point, repetition });
        if (failure !== undefined) throw new SeedRunError(name, failure);
        onRun();
        return run;
      }),
    );
  const both = Promise.all([simulate(configs[0], a), simulate(configs[1], b)]);
  return {
    result: both.then(([ofA, ofB]) => ({
      change: seedChange(seeds, ofA, ofB, isSameLoad(servedDifferences(a, b))),
      notes: [
        ...repeatNotes(a, configs[0], ofA[0]!),
        ...(configs[1].seed === seeds[0] ? repeatNotes(b, configs[1], ofB[0]!) : []),
      ],
    })),
    numRuns,
    release: () => pool.close(),
  };
}

/** @throws ConfigError */
function seededConfig({ name, summary }: ComparedRun): RunConfig {
  const config = parseConfig(runConfigSchema, summary.config, `${name}: config`);
  if (config.workload.data.kind !== "trace") return config;
  const allowed = `leave it out: ${name} serves a trace, whose requests are the same with every seed`;
  throw new ConfigError([{ path: "--seeds", received: `a trace (${config.workload.data.path})`, allowed }]);
}

/** Digits of a result's file that a repeated run must show again. */
const REPEATED_DIGITS = 9;

function repeatNotes({ name, summary }: ComparedRun, { seed }: RunConfig, run: SweepRun): string[] {
  const isOther = metricChanges(summary, run).some(
    ({ a, b }) => a?.toPrecision(REPEATED_DIGITS) !== b?.toPrecision(REPEATED_DIGITS),
  );
  if (!isOther) return [];
  return [`${name} is not what its config gives now with its seed ${seed}: simulate it again to compare the rest too`];
}
