import { existsSync, readdirSync, readFileSync, statSync } from "node:fs";
import { basename, join } from "node:path";
import { ConfigError } from "../core/errors/simulationError.js";
import { findGpu, type GpuCatalog, type NamedGpu, resolveGpuId } from "../core/hardware/gpuCatalog.js";
import { type GpuSpecFile, parseGpuSpec } from "../core/hardware/gpuSpecSchema.js";
import type { GpuEfficiency } from "../core/kernels/gpuEfficiency.js";
import type { ModelArchitecture } from "../core/model/modelArchitecture.js";
import {
  findModel,
  type ModelCatalog,
  namesLookedFor,
  parseModelFile,
  resolveModelId,
} from "../core/model/modelCatalog.js";
import { parseHfConfig } from "../core/model/parseHfConfig.js";
import { PACKAGE_ROOT } from "./packageRoot.js";
import { readStructuredFile } from "./structuredFile.js";

/** Where the shipped kernel data lies. */
export const BENCH_DATA_FOLDER = join(PACKAGE_ROOT, "bench_data");

const MODEL_FOLDER = join(PACKAGE_ROOT, "configs", "models");
const HARDWARE_FOLDER = join(PACKAGE_ROOT, "configs", "hardware");
const EFFICIENCY_FOLDER = join(BENCH_DATA_FOLDER, "efficiency");

/** All built-in models, by file name. */
export function loadModelCatalog(): ModelCatalog {
  return modelsIn(jsonFiles(MODEL_FOLDER));
}

/** All built-in GPUs, by file name. */
export function loadGpuCatalog(): GpuCatalog {
  return jsonFiles(HARDWARE_FOLDER).map((file) => parseGpuSpec(readStructuredFile(file), basename(file)));
}

/**
 * The model a user named: a built-in id, or a path to a Hugging Face config.json (or the folder that holds it).
 * @throws ConfigError naming near misses, DataFileError for a broken file
 */
export function loadModel(text: string): ModelArchitecture {
  const file = pathOfConfig(text);
  if (file !== null) return parseHfConfig(readStructuredFile(file), text, file);
  return (findModel(text, modelsMaybeNamed(text)) ?? resolveModelId(text, loadModelCatalog())).architecture;
}

/** All built-in models that may go by a name, and few others: theirs are the files with the name somewhere in them. */
function modelsMaybeNamed(text: string): ModelCatalog {
  const names = namesLookedFor(text);
  const files = jsonFiles(MODEL_FOLDER).filter((file) => {
    const content = readFileSync(file, "utf8").toLowerCase();
    return names.some((name) => content.includes(name));
  });
  return modelsIn(files);
}

function modelsIn(files: readonly string[]): ModelCatalog {
  return files.flatMap((file) => parseModelFile(readStructuredFile(file), basename(file)));
}

/**
 * The GPU a user named: a built-in id, or a path to a GPU spec of the user's own.
 * @throws ConfigError naming near misses, DataFileError for a broken file
 */
export function loadGpu(text: string): GpuSpecFile {
  if (looksLikePath(text)) return parseGpuSpec(readStructuredFile(text), text);
  const files = jsonFiles(HARDWARE_FOLDER).map((file) => ({ file, ...(readStructuredFile(file) as NamedGpu) }));
  const found = findGpu(text, files);
  if (found === null) return resolveGpuId(text, loadGpuCatalog());
  const { file, ...spec } = found;
  return parseGpuSpec(spec, basename(file));
}

/**
 * The fitted efficiencies of a built-in GPU, or null when it has none of its own. A test holds the shipped files to
 * `gpuEfficiencySchema`: to check their thousands of numbers at every start would take as long as a small simulation.
 */
export function loadGpuEfficiency(gpuId: string): GpuEfficiency | null {
  const file = join(EFFICIENCY_FOLDER, `${gpuId}.json`);
  return existsSync(file) ? (readStructuredFile(file) as GpuEfficiency) : null;
}

function jsonFiles(folder: string): string[] {
  return readdirSync(folder)
    .filter((name) => name.endsWith(".json"))
    .sort()
    .map((name) => join(folder, name));
}

/** The config.json a model name points at, or null when it is no path. */
function pathOfConfig(text: string): string | null {
  if (existsSync(text)) {
    if (!statSync(text).isDirectory()) return text;
    const file = join(text, "config.json");
    if (existsSync(file)) return file;
    throw new ConfigError([
      { path: "--model", received: JSON.stringify(text), allowed: "the folder must hold a config.json" },
    ]);
  }
  return looksLikePath(text) ? text : null;
}

/** `./x`, `/x`, `~/x`, `x.json`, `x.yaml`: what can only be meant as a path. */
function looksLikePath(text: string): boolean {
  return /^(\.{0,2}\/|~)/.test(text) || /\.(json|ya?ml)$/i.test(text);
}
