import { existsSync } from "node:fs";
import { availableParallelism } from "node:os";
import { numPoints, runSweep, type Sweep, type SweepListener } from "../../core/analysis/sweep/runSweep.js";
import { type SweepGrid, type SweepResult, sweepResult } from "../../core/analysis/sweep/sweepResult.js";
import type { RunTask, SweepTask } from "../../core/analysis/sweep/sweepTask.js";
import { benchmarkPieceFile } from "./pointFiles.js";
import { RunJournal } from "./runJournal.js";
import { SimulationPool } from "./simulationPool.js";
import { sweepManifest } from "./sweepManifest.js";

/** How a sweep is run, which changes nothing in its result. */
export interface SweepExecution extends SweepListener {
  /** Worker threads; null = one for each core. */
  readonly numWorkers: number | null;
  /** Run directory: what is finished is kept there, and found there again. null = in memory. */
  readonly folder: string | null;
  /** Forget what is in the run directory. */
  readonly startOver: boolean;
  /** Told of each run: whether it was simulated now, or found. */
  readonly onRun?: (isNew: boolean) => void;
}

/** A sweep under way. */
export interface RunningSweep {
  readonly result: Promise<SweepResult>;
  /** Runs that were on disk when it began. */
  readonly numFound: number;
  /** Those of them that were not asked for; known at the end. */
  readonly numNotAsked: () => number;
  /** For each point, by its index, the file with its part of a GuideLLM file, in so far as the point has been run. */
  readonly benchmarkPieces: ReadonlyMap<number, string>;
  /** Ends its threads and closes its files, whether it is done or not; what is finished stays on disk. */
  readonly release: () => Promise<void>;
}

/**
 * Starts a sweep on worker threads.
 * @throws ConfigError where the run directory is of another sweep
 */
export function executeSweep(sweep: Sweep, grid: SweepGrid, execution: SweepExecution): RunningSweep {
  const { folder, numWorkers, startOver, onRun = () => {} } = execution;
  const journal = folder === null ? null : RunJournal.open(folder, sweepManifest(sweep, grid), startOver);
  const numRuns = numPoints(sweep) * sweep.seeds.length;
  const pool = new SimulationPool(Math.min(numWorkers ?? availableParallelism(), numRuns), folder);
  const simulated = new Set<object>();
  const simulate: RunTask = async (task) => {
    simulated.add(task);
    return pool.run(task);
  };
  const pieces = new Map<number, string>();
  const hasFiles = (task: SweepTask) => task.repetition > 0 || existsSync(pieces.get(task.point.index) ?? "");
  const kept = journal === null ? simulate : journal.keeping(simulate, hasFiles);
  const run: RunTask = async (task) => {
    if (folder !== null && task.repetition === 0) pieces.set(task.point.index, benchmarkPieceFile(folder, task));
    const outcome = await kept(task);
    onRun(simulated.delete(task));
    return outcome;
  };
  const points = runSweep(sweep, run, execution);
  let isReleased = false;
  return {
    result: points.then((done) => sweepResult(sweep, grid, done)),
    numFound: journal?.numFound ?? 0,
    numNotAsked: () => journal?.numNotAsked ?? 0,
    benchmarkPieces: pieces,
    release: async () => {
      if (isReleased) return;
      isReleased = true;
      await pool.close();
      journal?.close();
    },
  };
}
