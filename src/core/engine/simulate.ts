import type { BinnedCounts } from "../metrics/binnedCounts.js";
import { gapsWithClientResidual, withClientResidual } from "../metrics/clientResidual.js";
import { RecordColumns } from "../metrics/recordColumns.js";
import { type Regime, regimeOf } from "../metrics/regime.js";
import { SEEN_GPU, type SeenErrors, seenErrors } from "../metrics/regimeErrors.js";
import { type RunMetrics, summariseColumns } from "../metrics/runMetrics.js";
import type { RunUncertainty } from "../metrics/runUncertainty.js";
import { hasLatentAttention } from "../model/layerKinds.js";
import type { ModelArchitecture } from "../model/modelArchitecture.js";
import type { RequestSpec } from "../request/requestSpec.js";
import { US_PER_S } from "../units/units.js";
import { createWorkload } from "../workload/createWorkload.js";
import type { SpecStream } from "../workload/specStream.js";
import type { Workload } from "../workload/workload.js";
import { createServer, type Deployment, type Server } from "./createServer.js";
import { loadElasticity } from "./loadElasticity.js";
import { KeptRequests } from "./requestSinks.js";
import type { RunConfig } from "./runConfig.js";
import type { EngineStats, RequestSink, ServedRun, StepObserver } from "./runResult.js";
import { ServerLoop } from "./serverLoop.js";
import { ROOFSERVE_VERSION } from "./version.js";

/** The `roofserve.run/1` contract: keys are API. */
export interface RunSummary extends RunMetrics {
  readonly schema: "roofserve.run/1";
  /** roofserve's version. */
  readonly version: string;
  /** The config with every default filled in; run again, it gives the same bytes. */
  readonly config: RunConfig;
  readonly engine: {
    readonly steps: number;
    readonly simulatedS: number;
    readonly preemptions: number;
    readonly numGpuBlocks: number;
    readonly kvPeakUsedFraction: number;
    readonly prefixCacheHitFraction: number;
    /** Share of simulated time in which the GPU computes. */
    readonly busyFraction: number;
    /** Share of simulated time in which the one front-end process streams tokens; near 1 it is the bottleneck. */
    readonly frontEndBusyFraction: number;
  };
  /** How far from saturation, which decides what an error of the step time does to the latencies. */
  readonly regime: Regime & {
    /** Errors of predictions for measured runs in this regime; null when none was measured. */
    readonly seenErrors: SeenErrors | null;
  };
  /** 80 % intervals of the headline numbers, where they were asked for. */
  readonly uncertainty?: RunUncertainty;
  /** What a reader should know: borrowed efficiencies, kernels without a table. */
  readonly notes: readonly string[];
  /** Share of GPU time by component, largest first. */
  readonly bottleneck: Readonly<Record<string, number>>;
}

/** A finished run that has handed its requests on. */
export interface StreamedResult {
  readonly summary: RunSummary;
  /** The numbers that the summary is of. */
  readonly columns: RecordColumns;
  /** Single times between two output tokens, as in `EngineStats`. */
  readonly gapsUs: BinnedCounts;
}

/** A finished run: the summary, and every request. */
export interface SimulationResult extends StreamedResult, Pick<ServedRun, "records" | "specs"> {}

/** What a run may be given besides its config. */
export interface SimulateOptions {
  /** The requests of a trace workload, read by the caller. */
  readonly specs?: readonly RequestSpec[] | SpecStream;
  readonly observer?: StepObserver;
}

/**
 * Simulates one run. Deterministic: the same deployment, config and options give the same result to the last bit (its
 * notes also say what earlier runs of the same deployment object found no kernel table for).
 * @throws ConfigError, CapacityError
 */
export function simulate(deployment: Deployment, config: RunConfig, options: SimulateOptions = {}): SimulationResult {
  const { specs, observer } = options;
  const workload = createWorkload(config.workload, config.seed, specs === undefined ? {} : { specs });
  return simulateRequests(deployment, config, workload, observer ?? null);
}

/** `simulate` with requests from elsewhere; `config.workload` only describes them. */
export function simulateRequests(
  deployment: Deployment,
  config: RunConfig,
  workload: Workload,
  observer: StepObserver | null,
): SimulationResult {
  const sink = new KeptRequests();
  const streamed = simulateStreaming(deployment, config, workload, { observer, sink });
  return { ...streamed, records: sink.records, specs: sink.specs };
}

/** Who looks at a streamed run, and what serves it. */
export interface StreamingOptions {
  readonly observer?: StepObserver | null;
  /** Takes the requests as they end. */
  readonly sink?: RequestSink | null;
  /** Default `serveRequests`; another engine in its place shows what the two have in common, and what they cost. */
  readonly serve?: typeof serveRequests;
}

/**
 * `simulateRequests` in bounded memory: the requests go to a sink as they end, and of each only the numbers stay that
 * the summary is made of.
 */
export function simulateStreaming(
  deployment: Deployment,
  config: RunConfig,
  workload: Workload,
  { observer = null, sink = null, serve = serveRequests }: StreamingOptions = {},
): StreamedResult {
  const server = createServer(deployment, config.engine, config.sampling);
  const resolved = { ...config, engine: server.engine };
  observer?.onStart?.(server, resolved);
  const columns = new RecordColumns();
  const stats = serve(server, workload, observer, {
    add(record, spec) {
      columns.add(record);
      sink?.add(record, spec);
    },
  });
  const notes = deployment.notes?.() ?? [];
  return {
    summary: summarise(resolved, server, deployment.architecture, { columns, stats }, notes),
    columns,
    gapsUs: stats.gapsUs,
  };
}

/** Lets a server work off a workload, and hands on what its clients saw of each request. */
export function serveRequests(
  { parts, residual }: Server,
  workload: Workload,
  observer: StepObserver | null,
  sink: RequestSink,
): EngineStats {
  if (residual === null) return new ServerLoop(parts, workload, observer, sink).run();
  const seen: RequestSink = { add: (record, spec) => sink.add(withClientResidual(record, residual), spec) };
  const stats = new ServerLoop(parts, workload, observer, seen).run();
  return { ...stats, gapsUs: gapsWithClientResidual(stats.gapsUs, residual) };
}

/** `serveRequests`, keeping all of them. */
export function runServer(server: Server, workload: Workload, observer: StepObserver | null = null): ServedRun {
  const kept = new KeptRequests();
  const stats = serveRequests(server, workload, observer, kept);
  return { records: kept.records, specs: kept.specs, stats };
}

/** How far a server was from saturation in a run. */
export function runRegime(server: Server, columns: RecordColumns, { limitedUs, simulatedUs }: EngineStats): Regime {
  return regimeOf(columns, {
    limitedUs,
    simulatedUs,
    loadElasticity: loadElasticity(server, columns, simulatedUs),
  });
}

function summarise(
  config: RunConfig,
  server: Server,
  architecture: ModelArchitecture,
  { columns, stats }: { readonly columns: RecordColumns; readonly stats: EngineStats },
  notes: readonly string[],
): RunSummary {
  const regime = runRegime(server, columns, stats);
  const shares = Object.entries(stats.componentShares).sort(([, a], [, b]) => b - a);
  return {
    schema: "roofserve.run/1",
    version: ROOFSERVE_VERSION,
    config,
    ...summariseColumns(columns, stats.gapsUs),
    engine: {
      steps: stats.steps,
      simulatedS: stats.simulatedUs / US_PER_S,
      preemptions: stats.preemptions,
      numGpuBlocks: stats.numGpuBlocks,
      kvPeakUsedFraction: stats.kvPeakUsedFraction,
      prefixCacheHitFraction: stats.prefixCacheHitFraction,
      busyFraction: stats.simulatedUs === 0 ? 0 : stats.gpuBusyUs / stats.simulatedUs,
      frontEndBusyFraction: stats.simulatedUs === 0 ? 0 : stats.outputBusyUs / stats.simulatedUs,
    },
    regime: { ...regime, seenErrors: isPricedAsSeen(config, architecture) ? seenErrors(regime) : null },
    notes,
    bottleneck: Object.fromEntries(shares.filter(([, share]) => share > 0)),
  };
}

/** Whether a run is priced as the runs were that errors were seen on: another kind of attention, GPU or correction has errors of its own. */
function isPricedAsSeen({ gpu, pricing, benchData }: RunConfig, architecture: ModelArchitecture): boolean {
  const { stepModel, toggleHypotheses, calibration, characterization, kernelEfficiency } = pricing;
  const isCorrected = calibration !== null || characterization !== null || kernelEfficiency !== null;
  const isPlain = stepModel === "additive" && toggleHypotheses === null && !isCorrected;
  return isPlain && benchData === null && gpu.toUpperCase() === SEEN_GPU && !hasLatentAttention(architecture);
}
