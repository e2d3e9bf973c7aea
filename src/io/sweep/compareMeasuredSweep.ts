import { guidellmSweepRates, NUM_CALIBRATION_RUNS } from "../../core/analysis/sweep/guidellmSweepRates.js";
import { createServer, type Deployment } from "../../core/engine/createServer.js";
import { runServer } from "../../core/engine/simulate.js";
import { type Comparison, compare } from "../../core/evaluation/compareRun.js";
import { evaluateRun, type ServerRunConfig } from "../../core/evaluation/evaluateRun.js";
import type { EvaluatedRun } from "../../core/evaluation/evaluationReport.js";
import type { MeasuredExperiment, MeasuredRun } from "../../core/metrics/measuredExperiment.js";
import { summariseRecords } from "../../core/metrics/runMetrics.js";
import { GUIDELLM_MAX_CONCURRENCY } from "../../core/workload/arrivalConfig.js";
import { closedLoopWorkload } from "../../core/workload/specWorkload.js";

/** A measured GuideLLM sweep beside its prediction, both ways. */
export interface MeasuredSweep {
  readonly name: string;
  readonly model: string;
  readonly gpu: string;
  readonly tensorParallelSize: number;
  /**
   * The sweep as it would have gone: requests/s of the two calibration benchmarks with the file's requests, and the
   * constant rates that follow from them. Measured: the client's own numbers. null where the file has no such benchmarks.
   */
  readonly rates: {
    readonly synchronousPerS: Comparison;
    readonly throughputPerS: Comparison;
    readonly constantPerS: readonly Comparison[];
  } | null;
  /** Every benchmark at the rates and arrivals of the file: errors of the calibration do not enter. */
  readonly benchmarks: readonly (EvaluatedRun & {
    readonly strategy: string;
    /** Offered rate, requests/s; null where the server sets the pace. */
    readonly rate: number | null;
  })[];
}

/** @throws ConfigError, CapacityError */
export function compareMeasuredSweep(
  experiment: MeasuredExperiment,
  deployment: Deployment,
  config: ServerRunConfig,
): MeasuredSweep {
  const benchmarks = experiment.runs.map((run) => ({
    ...evaluateRun(deployment, config, run).evaluated,
    strategy: run.strategy ?? "unknown",
    rate: run.stages[0]?.requestsPerS ?? null,
  }));
  return {
    name: experiment.name,
    model: config.model,
    gpu: config.gpu,
    tensorParallelSize: config.engine.tensorParallelSize,
    rates: compareRates(experiment, (run, concurrency) => servedPerS(deployment, config, run, concurrency)),
    benchmarks,
  };
}

function compareRates(
  { runs }: MeasuredExperiment,
  servedPerS: (run: MeasuredRun, concurrency: number) => number,
): MeasuredSweep["rates"] {
  const synchronous = runs.find(({ strategy }) => strategy === "synchronous");
  const throughput = runs.find(({ strategy }) => strategy === "throughput");
  if (synchronous === undefined || throughput === undefined) return null;
  const synchronousPerS = servedPerS(synchronous, 1);
  const throughputPerS = servedPerS(throughput, GUIDELLM_MAX_CONCURRENCY);
  const measured = runs.flatMap(({ strategy, stages }) =>
    strategy === "constant" ? (stages[0]?.requestsPerS ?? []) : [],
  );
  const predicted = guidellmSweepRates(synchronousPerS, throughputPerS, measured.length + NUM_CALIBRATION_RUNS);
  return {
    synchronousPerS: compare(synchronous.aggregates?.requestsPerS ?? null, synchronousPerS),
    throughputPerS: compare(throughput.aggregates?.requestsPerS ?? null, throughputPerS),
    constantPerS: measured.map((rate, i) => compare(rate, predicted[i] ?? null)),
  };
}

/** Requests/s that the simulated server completes of a run's requests, so many in flight at most; 0 when none. */
function servedPerS(deployment: Deployment, config: ServerRunConfig, run: MeasuredRun, concurrency: number): number {
  const server = createServer(deployment, config.engine, config.sampling);
  const { records } = runServer(server, closedLoopWorkload(run.specs, concurrency));
  return summariseRecords(records).throughput.requestsPerS ?? 0;
}
