/**
 * roofserve's core: a discrete-event simulator of LLM serving that runs anywhere, a browser included.
 *
 * Read first:
 * 1. `engine/serverLoop.ts`: one server and its clients over simulated time; everything else is called from here.
 * 2. `scheduler/scheduler.ts`: which request gets how many tokens in a step, as vLLM V1 decides it. `lockstep.ts` beside
 *    it and `kv/extentKvCache.ts` make that cheap.
 * 3. `stepmodel/additiveStepModel.ts`: how long the GPU takes for such a step.
 *
 * Invariants, each a test: requests are conserved; used + free blocks = all blocks; arrival ≤ first schedule ≤ first
 * token ≤ last token; no step exceeds its token budget or its sequences; no kernel and no step is faster than its
 * FLOPs at peak or its bytes at peak bandwidth; the same input and seed give the same result to the last bit.
 *
 * To extend: a model's shapes in `model/operators.ts`, a kernel's price behind `kernels/kernelModel.ts`, another step
 * model behind `stepmodel/stepModel.ts`, another source of requests behind `workload/workload.ts`;
 * `engine/createServer.ts` is the one place that picks implementations.
 *
 * @module
 */
export type { ComparedRequest, ComparedRun } from "./analysis/diff/comparedRun.js";
export { type ComparedPlan, type PlanDiff, planDiff } from "./analysis/diff/planDiff.js";
export { type RunDiff, runDiff } from "./analysis/diff/runDiff.js";
export { type ComparedSweep, type SweepDiff, sweepDiff } from "./analysis/diff/sweepDiff.js";
export type { ExplainReport } from "./analysis/explainReport.js";
export type { LoggedStep, StepLogHeader } from "./analysis/stepLog.js";
export { StepLogExplainer } from "./analysis/stepLogExplainer.js";
export { StepLogger } from "./analysis/stepLogger.js";
export { runSweep, type Sweep, type SweepSeries } from "./analysis/sweep/runSweep.js";
export type { PointResult } from "./analysis/sweep/sweepPoint.js";
export { type SweepGrid, type SweepResult, sweepResult } from "./analysis/sweep/sweepResult.js";
export { type SweepRun, sweepRunOf } from "./analysis/sweep/sweepRun.js";
export { type RunTask, type SweepTask, simulateTask, type TaskOutcome } from "./analysis/sweep/sweepTask.js";
export type { EngineConfig, SamplingConfig } from "./config/engineConfig.js";
export {
  engineConfigSchema,
  samplingConfigSchema,
} from "./config/engineConfig.js";
export { parseConfig } from "./config/parseConfig.js";
export type { VllmVersion } from "./config/vllmVersion.js";
export { VLLM_VERSIONS } from "./config/vllmVersion.js";
export type { Deployment, Server, ServerConstants } from "./engine/createServer.js";
export { createServer } from "./engine/createServer.js";
export type { BatchRow, StepReport } from "./engine/explainStep.js";
export { explainStep, parseBatch } from "./engine/explainStep.js";
export type { RunConfig } from "./engine/runConfig.js";
export { runConfigSchema } from "./engine/runConfig.js";
export type {
  EngineStats,
  RequestSink,
  ServedRun,
  StepObserver,
} from "./engine/runResult.js";
export type {
  RunSummary,
  SimulateOptions,
  SimulationResult,
  StreamedResult,
  StreamingOptions,
} from "./engine/simulate.js";
export { runServer, serveRequests, simulate, simulateRequests, simulateStreaming } from "./engine/simulate.js";
export { ROOFSERVE_VERSION } from "./engine/version.js";
export type {
  ConfigIssue,
  DataLocation,
  ErrorCode,
} from "./errors/simulationError.js";
export {
  CapacityError,
  ConfigError,
  DataFileError,
  InvariantError,
  SimulationError,
} from "./errors/simulationError.js";
export type { RunComparison } from "./evaluation/compareRun.js";
export { compareRun } from "./evaluation/compareRun.js";
export type { Breakdown, ErrorBreakdown } from "./evaluation/errorBreakdown.js";
export { BREAKDOWNS, errorBreakdown } from "./evaluation/errorBreakdown.js";
export type { EvaluationReport } from "./evaluation/evaluationReport.js";
export { evaluationReport } from "./evaluation/evaluationReport.js";
export { simulateWorlds, type UncertaintyOptions } from "./evaluation/uncertainty/simulateWorlds.js";
export type { GpuSpec } from "./hardware/gpuSpec.js";
export { parseGpuSpec } from "./hardware/gpuSpecSchema.js";
export type { AchievedBandwidth, Characterization } from "./kernels/characterization/characterization.js";
export { characterizationSchema } from "./kernels/characterization/characterization.js";
export { characterizeEfficiency } from "./kernels/characterization/characterizeEfficiency.js";
export { createEfficiencyKernelModel } from "./kernels/efficiencyKernelModel.js";
export type { GpuEfficiency } from "./kernels/gpuEfficiency.js";
export { gpuEfficiencySchema } from "./kernels/gpuEfficiency.js";
export type { KernelLookup, LookupKind } from "./kernels/kernelLookup.js";
export type { KernelModel, KernelPrice } from "./kernels/kernelModel.js";
export { transferEfficiency } from "./kernels/transferEfficiency.js";
export { BinnedCounts } from "./metrics/binnedCounts.js";
export type { Distribution } from "./metrics/distribution.js";
export type { Interval } from "./metrics/interval.js";
export { RecordColumns } from "./metrics/recordColumns.js";
export type { Regime } from "./metrics/regime.js";
export type { RequestRecord, RequestStatus } from "./metrics/requestRecord.js";
export type { RunMetrics } from "./metrics/runMetrics.js";
export { summariseColumns, summariseRecords } from "./metrics/runMetrics.js";
export type { RunUncertainty } from "./metrics/runUncertainty.js";
export type { ModelArchitecture } from "./model/modelArchitecture.js";
export type { Operator, TokenShapes } from "./model/operator.js";
export { operators } from "./model/operators.js";
export { parseHfConfig } from "./model/parseHfConfig.js";
export { activeParameterCount, parameterCount } from "./model/weights.js";
export type { RequestSpec, TokenSegment } from "./request/requestSpec.js";
export { requestSpec } from "./request/requestSpec.js";
export type { ExplainedComponent, StepBreakdown, StepComponent, StepModel } from "./stepmodel/stepModel.js";
export { createWorkload } from "./workload/createWorkload.js";
export type { SpecStream } from "./workload/specStream.js";
export {
  closedLoopWorkload,
  workloadFromSpecs,
} from "./workload/specWorkload.js";
export type { Workload } from "./workload/workload.js";
export { workloadConfigSchema } from "./workload/workloadConfig.js";
