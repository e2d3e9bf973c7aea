import { existsSync, readdirSync, statSync } from "node:fs";
import { basename, join } from "node:path";
import { parseConfig } from "../core/config/parseConfig.js";
import { ConfigError } from "../core/errors/simulationError.js";
import { type GpuCatalog, resolveGpuId } from "../core/hardware/gpuCatalog.js";
import { type GpuSpecFile, parseGpuSpec } from "../core/hardware/gpuSpecSchema.js";
import { type GpuEfficiency, gpuEfficiencySchema } from "../core/kernels/gpuEfficiency.js";
import type { ModelArchitecture } from "../core/model/modelArchitecture.js";
import { type ModelCatalog, parseModelFile, resolveModelId } from "../core/model/modelCatalog.js";
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
  return jsonFiles(MODEL_FOLDER).flatMap((file) => parseModelFile(readStructuredFile(file), basename(file)));
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
  if (file === null) return resolveModelId(text, loadModelCatalog()).architecture;
  return parseHfConfig(readStructuredFile(file), text, file);
}

/**
 * The GPU a user named: a built-in id, or a path to a GPU spec of the user's own.
 * @throws ConfigError naming near misses, DataFileError for a broken file
 */
export function loadGpu(text: string): GpuSpecFile {
  if (!looksLikePath(text)) return resolveGpuId(text, loadGpuCatalog());
  return parseGpuSpec(readStructuredFile(text), text);
}

/** The fitted efficiencies of a built-in GPU, or null when it has none of its own. */
export function loadGpuEfficiency(gpuId: string): GpuEfficiency | null {
  const file = join(EFFICIENCY_FOLDER, `${gpuId}.json`);
  return existsSync(file) ? parseConfig(gpuEfficiencySchema, readStructuredFile(file), basename(file)) : null;
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
