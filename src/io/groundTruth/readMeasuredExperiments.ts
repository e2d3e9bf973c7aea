import { closeSync, existsSync, openSync, readdirSync, readSync, statSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { DataFileError } from "../../core/errors/simulationError.js";
import type { MeasuredExperiment } from "../../core/metrics/measuredExperiment.js";
import { guidellmFileIn, readGuidellmExperiment } from "../guidellm/guidellmExperiment.js";
import { isInferencePerfFolder, readInferencePerfExperiment } from "../inferencePerf/inferencePerfExperiment.js";
import { GROUND_TRUTH_SCHEMA_ID, readGroundTruthFile } from "./groundTruthFile.js";

/** How deep below a given folder experiments are looked for. */
const MAX_DEPTH = 3;
/** Bytes of a JSON file that are looked at to recognise it. */
const HEAD_BYTES = 4096;

export type GroundTruthKind = "inference-perf" | "guidellm" | "ground-truth";

/** A recognised measurement and what to read for it. */
export interface GroundTruthSource {
  readonly kind: GroundTruthKind;
  readonly path: string;
}

/**
 * Says what kind of measurement a file or folder is, without reading it whole.
 * @returns null when it is none; a folder of experiment folders is none itself
 */
export function recogniseGroundTruth(path: string): GroundTruthSource | null {
  if (!existsSync(path)) return null;
  if (statSync(path).isDirectory()) {
    if (isInferencePerfFolder(path)) return { kind: "inference-perf", path };
    return guidellmFileIn(path) === null ? null : { kind: "guidellm", path };
  }
  if (basename(path) === "replay.json") return { kind: "inference-perf", path: dirname(path) };
  if (!path.endsWith(".json")) return null;
  const head = headOf(path);
  if (head.includes(GROUND_TRUTH_SCHEMA_ID) || /"schema"\s*:\s*"roofserve\.ground-truth/.test(head)) {
    return { kind: "ground-truth", path };
  }
  return /"benchmarks"|"guidellm_version"|"args"/.test(head) ? { kind: "guidellm", path } : null;
}

/**
 * Reads every experiment at a path: one experiment's folder or file, or a folder of them (three levels deep, by name).
 * @param model served where the files do not say: GuideLLM's need not
 * @throws DataFileError when there is nothing to read, or something recognised is malformed
 */
export function readMeasuredExperiments(path: string, model: string | null = null): MeasuredExperiment[] {
  if (!existsSync(path)) throw new DataFileError({ file: path }, "no such file or folder; check the path");
  const sources = findGroundTruth(path, MAX_DEPTH);
  if (sources.length === 0) {
    throw new DataFileError(
      { file: path },
      "holds no measurements; expected an inference-perf folder (replay.json, results/config.yaml), GuideLLM results " +
        `(guidellm-results.json or benchmarks.json), a ${GROUND_TRUTH_SCHEMA_ID} JSON file, a folder of these, or one with whole_step/<gpu>.json`,
    );
  }
  return sources.flatMap((source) => readSource(source, model));
}

/** Recognised measurements at or below a path, by path; nothing is looked for inside one that is recognised. */
export function findGroundTruth(path: string, depth: number): GroundTruthSource[] {
  const source = recogniseGroundTruth(path);
  if (source !== null) return [source];
  if (depth === 0 || !existsSync(path) || !statSync(path).isDirectory()) return [];
  const names = readdirSync(path)
    .filter((name) => !name.startsWith("."))
    .sort();
  return names.flatMap((name) => findGroundTruth(join(path, name), depth - 1));
}

function readSource({ kind, path }: GroundTruthSource, model: string | null): MeasuredExperiment[] {
  switch (kind) {
    case "inference-perf":
      return [readInferencePerfExperiment(path)];
    case "guidellm":
      return [readGuidellmExperiment(path, model)];
    case "ground-truth":
      return readGroundTruthFile(path);
  }
}

function headOf(file: string): string {
  const buffer = Buffer.alloc(HEAD_BYTES);
  const descriptor = openSync(file, "r");
  try {
    return buffer.toString("utf8", 0, readSync(descriptor, buffer, 0, HEAD_BYTES, 0));
  } finally {
    closeSync(descriptor);
  }
}
