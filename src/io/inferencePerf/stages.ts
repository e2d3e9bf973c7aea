import { readdirSync } from "node:fs";
import { join } from "node:path";
import type { MeasuredStage } from "../../core/metrics/measuredExperiment.js";
import type { PlannedStage } from "./clientConfig.js";
import { type LifecycleMetrics, readLifecycleMetrics } from "./lifecycleMetrics.js";

/**
 * Cuts a run into the stages of its plan. How many requests a stage sent is read from its own file of aggregates,
 * else from the plan; when neither adds up to what was recorded, the widest gaps between arrivals cut it.
 * @param arrivalsUs ascending, at least one
 */
export function measuredStages(
  resultsFolder: string,
  planned: readonly PlannedStage[],
  arrivalsUs: readonly number[],
  outputTokens: number | null,
): MeasuredStage[] {
  const files = readStageFiles(resultsFolder, outputTokens);
  const numStages = Math.max(files.length, planned.length, 1);
  const counts = [
    files.map((file) => file?.numRequests ?? Number.NaN),
    planned.map((stage) => stage.numRequests ?? Number.NaN),
  ].find((candidate) => sum(candidate) === arrivalsUs.length);
  const ends = counts === undefined ? endsAtGaps(arrivalsUs, numStages) : runningSums(counts);
  return ends.map((endIndex, stage) => ({
    name: `stage ${stage}`,
    firstIndex: stage === 0 ? 0 : (ends[stage - 1] as number),
    endIndex,
    requestsPerS: planned[stage]?.requestsPerS ?? files[stage]?.requestsPerS ?? null,
    aggregates: files[stage]?.aggregates ?? null,
  }));
}

function readStageFiles(folder: string, outputTokens: number | null): (LifecycleMetrics | null)[] {
  const numbers = listFolder(folder)
    .map((name) => /^stage_(\d+)_lifecycle_metrics\.json$/.exec(name)?.[1])
    .filter((digits) => digits !== undefined)
    .map(Number)
    .sort((a, b) => a - b);
  return numbers.map((stage) =>
    readLifecycleMetrics(join(folder, `stage_${stage}_lifecycle_metrics.json`), outputTokens),
  );
}

function listFolder(folder: string): string[] {
  try {
    return readdirSync(folder);
  } catch {
    return [];
  }
}

/** Ends of `numStages` stages cut at the widest gaps. */
function endsAtGaps(arrivalsUs: readonly number[], numStages: number): number[] {
  const starts = arrivalsUs.map((_, i) => i).slice(1);
  const gapUs = (start: number): number => (arrivalsUs[start] as number) - (arrivalsUs[start - 1] as number);
  const widest = starts.sort((a, b) => gapUs(b) - gapUs(a) || a - b).slice(0, numStages - 1);
  return [...widest.sort((a, b) => a - b), arrivalsUs.length];
}

function runningSums(counts: readonly number[]): number[] {
  let total = 0;
  return counts.map((count) => {
    total += count;
    return total;
  });
}

function sum(values: readonly number[]): number {
  return values.length === 0 ? Number.NaN : values.reduce((total, value) => total + value, 0);
}
