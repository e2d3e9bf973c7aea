import { existsSync, statSync } from "node:fs";
import { join } from "node:path";
import { ConfigError, DataFileError } from "../core/errors/simulationError.js";
import { replayWorkload, statedConfig, unstatedNotes } from "../core/evaluation/replayRun.js";
import type { MeasuredExperiment, MeasuredRun } from "../core/metrics/measuredExperiment.js";
import { workloadFromSpecs } from "../core/workload/specWorkload.js";
import type { Workload } from "../core/workload/workload.js";
import { findGroundTruth, readMeasuredExperiments } from "./groundTruth/readMeasuredExperiments.js";
import { readStructuredFile } from "./structuredFile.js";
import { openTrace } from "./traces/openTrace.js";
import type { ReadTraceOptions } from "./traces/readTrace.js";

/** Requests to replay, with the config their files state. */
export interface ReplaySource {
  /** Names the run in per-request tables. */
  readonly label: string;
  /** A fragment of a run config, unparsed. */
  readonly stated: object;
  /** Opens the requests from the start; each call gives a workload of its own. */
  readonly openWorkload: () => Workload;
  /** What the user should know, one line each. */
  readonly notes: readonly string[];
}

/** How a path is read; `benchmark` is for files with several, the rest for traces. */
export interface ReplayOptions extends Pick<ReadTraceOptions, "timeScale" | "limit"> {
  /** Name or number from 0; default the first. */
  readonly benchmark?: string;
  /** Model served where a measured run's files do not say. */
  readonly model?: string;
}

/**
 * Reads what a path holds: the folder a run wrote (then its whole config is stated), a measured benchmark run, or a
 * trace of any known format.
 * @throws DataFileError, ConfigError
 */
export async function readReplaySource(path: string, options: ReplayOptions = {}): Promise<ReplaySource> {
  const summaryFile = join(path, "summary.json");
  if (existsSync(summaryFile)) {
    rejectUnused(options, ["benchmark", "timeScale", "limit"], "a run's folder is replayed as it was");
    return readRunFolder(path, summaryFile);
  }
  if (findGroundTruth(path, 0).length > 0) {
    rejectUnused(options, ["timeScale", "limit"], "a measured run is replayed as it was; it is for traces");
    return readMeasured(path, options);
  }
  if (existsSync(path) && statSync(path).isDirectory()) {
    const problem =
      "is a folder without a run to replay; expected summary.json and requests.jsonl (written by run --out), an " +
      "inference-perf folder, or GuideLLM results";
    throw new DataFileError({ file: path }, problem);
  }
  rejectUnused(options, ["benchmark"], "a trace has none; it is for files with several benchmarks");
  const { specs, warnings } = await openTrace(path, options);
  return { label: "replay", stated: traceConfig(path), openWorkload: () => workloadFromSpecs(specs), notes: warnings };
}

async function readRunFolder(folder: string, summaryFile: string): Promise<ReplaySource> {
  const summary = readStructuredFile(summaryFile) as { config?: unknown } | null;
  if (typeof summary?.config !== "object" || summary.config === null) {
    throw new DataFileError({ file: summaryFile, column: "config" }, "is missing; expected the summary of a run");
  }
  const { specs, warnings } = await openTrace(join(folder, "requests.jsonl"));
  return { label: "run", stated: summary.config, openWorkload: () => workloadFromSpecs(specs), notes: warnings };
}

function readMeasured(path: string, options: ReplayOptions): ReplaySource {
  const benchmark = options.benchmark ?? null;
  const [experiment, ...others] = readMeasuredExperiments(path, options.model ?? null) as [
    MeasuredExperiment,
    ...MeasuredExperiment[],
  ];
  const run = chooseRun(experiment, benchmark);
  const notes = [...experiment.notes, ...unstatedNotes(experiment)];
  if (others.length > 0) notes.push(`replaying the first of ${others.length + 1} experiments, ${experiment.name}`);
  if (benchmark === null && experiment.runs.length > 1) notes.push(`replaying the first of ${listRuns(experiment)}`);
  return {
    label: run.name,
    stated: { ...traceConfig(path), ...statedConfig(experiment) },
    openWorkload: () => replayWorkload(run),
    notes,
  };
}

/** Refuses options that would be ignored. */
function rejectUnused(options: ReplayOptions, unused: readonly (keyof ReplayOptions)[], why: string): void {
  const flags = { benchmark: "--benchmark", timeScale: "--time-scale", limit: "--limit", model: "--model" };
  const issues = unused
    .filter((option) => options[option] !== undefined)
    .map((option) => ({ path: flags[option], received: String(options[option]), allowed: `leave it out: ${why}` }));
  if (issues.length > 0) throw new ConfigError(issues);
}

/** The workload section of a replay's config: the trace itself. */
function traceConfig(path: string): object {
  return { workload: { profile: { kind: "trace" }, data: { kind: "trace", path }, description: "replay" } };
}

function chooseRun(experiment: MeasuredExperiment, wanted: string | null): MeasuredRun {
  const isWanted = (run: MeasuredRun, i: number) => run.name === wanted || String(i) === (wanted ?? "0");
  const run = experiment.runs.find(isWanted);
  if (run !== undefined) return run;
  const allowed = `must be one of ${listRuns(experiment)}`;
  throw new ConfigError([{ path: "--benchmark", received: JSON.stringify(wanted), allowed }]);
}

function listRuns({ runs }: MeasuredExperiment): string {
  return runs.map((run, i) => `${i} (${run.name})`).join(", ");
}
