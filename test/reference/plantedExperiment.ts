import { createStream } from "../../src/core/des/streams.js";
import type { ServerConstants } from "../../src/core/engine/createServer.js";
import { runConfigSchema } from "../../src/core/engine/runConfig.js";
import type { CalibrationCase } from "../../src/core/evaluation/calibration/calibrationCase.js";
import {
  BUILT_IN_START,
  constantsOf,
  startValues,
  type TermValues,
} from "../../src/core/evaluation/calibration/calibrationTerms.js";
import { evaluateRun } from "../../src/core/evaluation/evaluateRun.js";
import type { MeasuredRequest, MeasuredRun } from "../../src/core/metrics/measuredExperiment.js";
import { e2eMs, interTokenMs, ttftMs } from "../../src/core/metrics/runMetrics.js";
import { requestSpec } from "../../src/core/request/requestSpec.js";
import { loadDeployment } from "../../src/io/loadDeployment.js";

/** How a run is made up: a server with planted constants, and what spoils the measurement. */
export interface PlantedOptions {
  readonly name?: string;
  readonly model?: string;
  readonly seed?: number;
  readonly numRequests?: number;
  readonly requestsPerS?: number;
  readonly outputTokens?: number;
  readonly vllmVersion?: string;
  readonly tensorParallelSize?: number;
  readonly maxNumSeqs?: number;
  /** Constants of the true server, where not the built-in ones. */
  readonly planted?: Partial<TermValues>;
  readonly residual?: ServerConstants["residual"];
  /** Standard deviation of the client's clock, ms. */
  readonly noiseMs?: number;
  /** Share of requests that take seconds longer, and of requests that fail. */
  readonly outlierFraction?: number;
  readonly failedFraction?: number;
  /** Requests at the start that a compiling server holds up for seconds. */
  readonly numStalled?: number;
}

/** A benchmark run whose server is known: simulated with planted constants, then seen through a noisy client. */
export function plantedExperiment(options: PlantedOptions = {}): CalibrationCase {
  const {
    name = "planted",
    model = "meta-llama/Llama-3.1-8B",
    vllmVersion = "0.15",
    tensorParallelSize = 1,
    maxNumSeqs = 256,
  } = options;
  const { workload: _workload, ...config } = runConfigSchema.parse({
    model,
    gpu: "H100",
    engine: { vllmVersion, tensorParallelSize, maxNumSeqs, maxModelLen: 8192 },
    workload: {
      profile: { kind: "constant", rate: 1 },
      data: { kind: "synthetic", promptTokens: 1, outputTokens: 1 },
      maxRequests: 1,
    },
  });
  const deployment = loadDeployment(config);
  const isAsync = vllmVersion !== "0.11.0";
  const values = { ...startValues(BUILT_IN_START, isAsync), ...options.planted };
  const constants = {
    ...constantsOf(values, isAsync),
    ...(options.residual === undefined ? {} : { residual: options.residual }),
  };
  const run = unmeasured(name, options);
  const { records } = evaluateRun({ ...deployment, constants }, config, run);
  const measured = records.map((record) => ({
    ttftMs: ttftMs(record),
    e2eMs: e2eMs(record),
    itlMs: interTokenMs(record),
    failed: false,
  }));
  return { name, deployment, config, runs: [{ ...run, measured: spoiled(measured, run, options) }] };
}

/** The experiment with what its clients saw changed. */
export function withMeasured(
  from: CalibrationCase,
  change: (request: MeasuredRequest, index: number, run: MeasuredRun) => MeasuredRequest,
): CalibrationCase {
  const runs = from.runs.map((run) => ({ ...run, measured: run.measured.map((one, i) => change(one, i, run)) }));
  return { ...from, runs };
}

/** A request whose first token and all that follow came later. */
export function delayed(request: MeasuredRequest, ms: number): MeasuredRequest {
  return { ...request, ttftMs: request.ttftMs + ms, e2eMs: request.e2eMs + ms };
}

function unmeasured(name: string, options: PlantedOptions): MeasuredRun {
  const { seed = 1, numRequests = 400, requestsPerS = 8, outputTokens = 60 } = options;
  const draw = createStream(seed, "planted/requests");
  let arrivalUs = 0;
  const specs = Array.from({ length: numRequests }, (_, i) => {
    if (i > 0) arrivalUs += Math.round((-Math.log1p(-draw()) / requestsPerS) * 1e6);
    return requestSpec({
      id: String(i),
      arrivalUs,
      promptSegments: [{ contentId: 2 * i, numTokens: 100 + Math.floor(draw() * 400) }],
      maxTokens: outputTokens,
      outputContentId: 2 * i + 1,
    });
  });
  return {
    name,
    closedLoopConcurrency: null,
    specs,
    measured: specs.map(() => ({ ttftMs: 1, e2eMs: 2, itlMs: 1, failed: false })),
    stages: [{ name, firstIndex: 0, endIndex: numRequests, requestsPerS, aggregates: null }],
    aggregates: null,
    outputTokensPerS: null,
    excluded: null,
  };
}

function spoiled(measured: readonly MeasuredRequest[], run: MeasuredRun, options: PlantedOptions): MeasuredRequest[] {
  const { seed = 1, noiseMs = 0.3, outlierFraction = 0, failedFraction = 0, numStalled = 0 } = options;
  const draw = createStream(seed, "planted/noise");
  // A sum of twelve uniforms is as normal as a clock's error needs.
  const noise = () => noiseMs * (Array.from({ length: 12 }, draw).reduce((sum, u) => sum + u, 0) - 6);
  return measured.map((request, i) => {
    const stallMs = i < numStalled || draw() < outlierFraction ? 3000 * draw() : 0;
    const firstMs = request.ttftMs + stallMs + noise();
    const lastMs = Math.max(firstMs, request.e2eMs + stallMs + noise());
    const numGaps = run.specs[i]!.maxTokens - 1;
    const failed = draw() < failedFraction;
    return { ttftMs: firstMs, e2eMs: lastMs, itlMs: (lastMs - firstMs) / numGaps, failed };
  });
}
