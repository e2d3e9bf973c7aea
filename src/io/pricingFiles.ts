import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import type { PricingConfig } from "../core/config/pricingConfig.js";

/** The config as a result states it: with the SHA-256 of every file that corrects its prices. */
export function withFileHashes<T extends { readonly pricing: PricingConfig }>(config: T): T {
  const { fileSha256: _stated, ...pricing } = config.pricing;
  const files = pricingFiles(pricing);
  if (files.length === 0) return { ...config, pricing };
  return {
    ...config,
    pricing: { ...pricing, fileSha256: Object.fromEntries(files.map((file) => [file, sha256(file)])) },
  };
}

/** A sentence for each file that is no longer what it was when the config was written. */
export function changedFileNotes(pricing: PricingConfig): string[] {
  const isChanged = (file: string) => (pricing.fileSha256?.[file] ?? sha256(file)) !== sha256(file);
  return pricingFiles(pricing)
    .filter(isChanged)
    .map((file) => `${file} has changed since the result that this config is of: another result is to be expected`);
}

function pricingFiles({ calibration, characterization }: PricingConfig): string[] {
  return [calibration, characterization].filter((file) => file !== null);
}

/** SHA-256 of a file, in hexadecimal. */
export function sha256(file: string): string {
  return createHash("sha256").update(readFileSync(file)).digest("hex");
}
