import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { ModelArchitecture } from "../../../../src/core/model/modelArchitecture.js";
import { type CatalogModel, parseModelFile, resolveModelId } from "../../../../src/core/model/modelCatalog.js";

const projectRoot = fileURLToPath(new URL("../../../..", import.meta.url));
const modelsFolder = join(projectRoot, "configs", "models");

export function readJson(file: string): unknown {
  return JSON.parse(readFileSync(file, "utf8"));
}

/** All models of configs/models. */
export const builtInModels: readonly CatalogModel[] = readdirSync(modelsFolder)
  .sort()
  .flatMap((file) => parseModelFile(readJson(join(modelsFolder, file)), `configs/models/${file}`));

export function builtIn(id: string): ModelArchitecture {
  return resolveModelId(id, builtInModels).architecture;
}

/** Reference folder beside the project; null where it is absent, an error where CI needs it. */
export const referenceFolder: string | null = findReferenceFolder();

function findReferenceFolder(): string | null {
  const folder = join(projectRoot, "..", "shared");
  if (existsSync(folder)) return folder;
  if (process.env.CI === "true") throw new Error("../shared is absent: CI must run the tests that need it");
  console.warn("../shared is absent: tests against reference data are skipped");
  return null;
}
