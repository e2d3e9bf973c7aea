import { type ConfigDifference, configDifferences } from "../../config/compareConfigs.js";
import { ROOFSERVE_VERSION } from "../../engine/version.js";
import type { ComparedRun } from "./comparedRun.js";
import { type DiffSide, versionNotes } from "./diffSide.js";
import { type GpuTimeChange, gpuTimeChange } from "./gpuTimeChange.js";
import { type MetricChange, metricChanges } from "./metricChange.js";
import { noIntervalReason } from "./noIntervalReason.js";
import { type PairedChange, pairedChange } from "./pairedChange.js";
import { pairRequests } from "./pairRequests.js";
import type { SeedChange } from "./seedChange.js";

/** The `roofserve.diff/1` contract, of two runs: keys are API. Every `change` is B's number minus A's. */
export interface RunDiff {
  readonly schema: "roofserve.diff/1";
  readonly kind: "run";
  /** roofserve's version. */
  readonly version: string;
  readonly a: DiffSide;
  readonly b: DiffSide;
  /** Whether no number and no request differs, whatever the configs say. */
  readonly isUnchanged: boolean;
  /** Whether no config key differs either. */
  readonly isIdentical: boolean;
  /** In the order of the config's keys; a side without the key lacks it here. */
  readonly config: readonly ConfigDifference[];
  readonly metrics: readonly MetricChange[];
  /** The same numbers over several seeds, with intervals; null where nobody asked for it. */
  readonly overSeeds: SeedChange | null;
  /** Requests compared one by one; null where they cannot be, and then `notPaired` says why. */
  readonly paired: PairedChange | null;
  readonly notPaired: string | null;
  readonly gpu: GpuTimeChange;
  readonly notes: readonly string[];
}

/**
 * Compares two runs. Swapped, it gives the same changes with the other sign.
 * @param overSeeds both configs simulated with further seeds
 */
export function runDiff(a: ComparedRun, b: ComparedRun, overSeeds: SeedChange | null = null): RunDiff {
  const config = servedDifferences(a, b);
  const pairing = pairRequests(a, b);
  const metrics = metricChanges(a.summary, b.summary, pairing.isPaired || isSameLoad(config));
  const paired = pairing.isPaired
    ? pairedChange(pairing.pairs, { ...pairing, noInterval: noIntervalReason(a, b, pairing.pairs) })
    : null;
  const gpu = gpuTimeChange(a, b);
  const isUnchanged =
    metrics.every((metric) => metric.a === metric.b) &&
    gpu.components.every(({ changeUs }) => changeUs === 0) &&
    isSameForEachRequest(a, b, paired) &&
    (overSeeds?.metrics.every((metric) => metric.a === metric.b) ?? true);
  const sides = {
    a: { name: a.name, version: a.summary.version },
    b: { name: b.name, version: b.summary.version },
  };
  return {
    schema: "roofserve.diff/1",
    kind: "run",
    version: ROOFSERVE_VERSION,
    ...sides,
    isUnchanged,
    isIdentical: isUnchanged && config.length === 0,
    config,
    metrics,
    overSeeds,
    paired,
    notPaired: pairing.isPaired ? null : pairing.reason,
    gpu,
    notes: [...versionNotes(sides.a, sides.b), ...notesOf(a, b, config)],
  };
}

/** Words about a workload, which change nothing that it does. */
export const WORDS = ["workload.description", "workload.sources"];

/** Where the configs of two runs differ in what they do. */
export function servedDifferences(a: ComparedRun, b: ComparedRun): ConfigDifference[] {
  return configDifferences(a.summary.config, b.summary.config).filter(({ path }) => !WORDS.includes(path));
}

/** Whether two configs send the same requests at the same times, but for the seed's luck. */
export function isSameLoad(config: readonly ConfigDifference[]): boolean {
  return !config.some(({ path }) => /^workload\b/.test(path));
}

/** A run that is there without its requests has none that differ. */
function isSameForEachRequest(a: ComparedRun, b: ComparedRun, paired: PairedChange | null): boolean {
  if (a.requests === null || b.requests === null) return true;
  if (paired === null || paired.numOnlyA + paired.numOnlyB > 0) return false;
  return paired.latencies.every(({ verdict }) => verdict === "none");
}

function notesOf(a: ComparedRun, b: ComparedRun, config: readonly ConfigDifference[]): string[] {
  const notes: string[] = [];
  if (a.summary.version === b.summary.version && config.length === 1 && config[0]?.path === "seed") {
    notes.push("only the seed differs: all changes are chance");
  }
  if ((a.steps === null) !== (b.steps === null)) {
    notes.push(`only ${a.steps === null ? "B" : "A"} has a step log, so it is not used`);
  }
  return notes;
}
