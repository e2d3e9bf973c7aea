import { type ConfigDifference, configDifferences } from "../../config/compareConfigs.js";
import { ROOFSERVE_VERSION } from "../../engine/version.js";
import type { ComparedRun } from "./comparedRun.js";
import { type DiffSide, versionNotes } from "./diffSide.js";
import { type GpuTimeChange, gpuTimeChange } from "./gpuTimeChange.js";
import { type MetricChange, metricChanges } from "./metricChange.js";
import { type PairedChange, pairedChange } from "./pairedChange.js";
import { pairRequests } from "./pairRequests.js";

/** The `roofserve.diff/1` contract, of two runs: keys are API. Every `change` is B's number minus A's. */
export interface RunDiff {
  readonly schema: "roofserve.diff/1";
  readonly kind: "run";
  /** roofserve's version. */
  readonly version: string;
  readonly a: DiffSide;
  readonly b: DiffSide;
  /** Whether no config key, no number and no request differs. */
  readonly isIdentical: boolean;
  /** In the order of the config's keys; a side without the key lacks it here. */
  readonly config: readonly ConfigDifference[];
  readonly metrics: readonly MetricChange[];
  /** Requests compared one by one; null where they cannot be, and then `notPaired` says why. */
  readonly paired: PairedChange | null;
  readonly notPaired: string | null;
  readonly gpu: GpuTimeChange;
  readonly notes: readonly string[];
}

/** Compares two runs. Swapped, it gives the same changes with the other sign. */
export function runDiff(a: ComparedRun, b: ComparedRun): RunDiff {
  const config = configDifferences(a.summary.config, b.summary.config);
  const metrics = metricChanges(a.summary, b.summary);
  const pairing = pairRequests(a, b);
  const paired = pairing.isPaired ? pairedChange(pairing.pairs, pairing) : null;
  const gpu = gpuTimeChange(a, b);
  const sides = {
    a: { name: a.name, version: a.summary.version },
    b: { name: b.name, version: b.summary.version },
  };
  return {
    schema: "roofserve.diff/1",
    kind: "run",
    version: ROOFSERVE_VERSION,
    ...sides,
    isIdentical:
      config.length === 0 &&
      metrics.every((metric) => metric.a === metric.b) &&
      gpu.components.every(({ changeUs }) => changeUs === 0) &&
      isSameForEachRequest(a, b, paired),
    config,
    metrics,
    paired,
    notPaired: pairing.isPaired ? null : pairing.reason,
    gpu,
    notes: [...versionNotes(sides.a, sides.b), ...notesOf(a, b, config)],
  };
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
