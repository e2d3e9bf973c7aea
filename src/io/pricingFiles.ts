import { createHash } from "node:crypto";
import { readFileSync, statSync } from "node:fs";
import type { PricingConfig } from "../core/config/pricingConfig.js";
import { findTableFiles } from "./benchData/tableFiles.js";

/** The keys of a config that name what prices its steps. */
interface PricedConfig {
  readonly pricing: PricingConfig;
  readonly benchData?: string | null;
}

/** Hexadecimal digits that tell two table sets apart where people read them. */
const SHORT_DIGITS = 12;

/** The config as a result states it: with the SHA-256 of every file, and of the folder of tables, that its prices are from. */
export function withFileHashes<T extends PricedConfig>(config: T): T {
  const { fileSha256: _stated, ...pricing } = config.pricing;
  const paths = pricingPaths(config);
  if (paths.length === 0) return { ...config, pricing };
  return {
    ...config,
    pricing: { ...pricing, fileSha256: Object.fromEntries(paths.map((path) => [path, sha256(path)])) },
  };
}

/** A sentence for each file or folder that is no longer what it was when the config was written. */
export function changedFileNotes(config: PricedConfig): string[] {
  const stated = config.pricing.fileSha256 ?? {};
  return pricingPaths(config)
    .filter((path) => stated[path] !== undefined && stated[path] !== sha256(path))
    .map((path) => `${path} has changed since the result that this config is of: another result is to be expected`);
}

function pricingPaths({ pricing, benchData }: PricedConfig): string[] {
  const { calibration, characterization, kernelEfficiency } = pricing;
  return [benchData ?? null, kernelEfficiency, calibration, characterization].filter((path) => path !== null);
}

/**
 * SHA-256, in hexadecimal, of a file, or of the kernel tables of a folder: their places in the layout and their contents.
 * @throws DataFileError when a folder of tables is missing
 */
export function sha256(path: string): string {
  if (statSync(path, { throwIfNoEntry: false })?.isFile()) return hashOf([readFileSync(path)]);
  return hashOf(findTableFiles(path).tables.flatMap((table) => [`${table.path}\n${sha256(table.file)}\n`]));
}

/** As much of `sha256` as tells two versions apart. */
export function shortSha256(path: string): string {
  return sha256(path).slice(0, SHORT_DIGITS);
}

function hashOf(pieces: readonly (string | Uint8Array)[]): string {
  const hash = createHash("sha256");
  for (const piece of pieces) hash.update(piece);
  return hash.digest("hex");
}
