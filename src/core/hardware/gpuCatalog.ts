import { nearestName } from "../config/nearestName.js";
import { ConfigError } from "../errors/simulationError.js";
import type { GpuSpecFile } from "./gpuSpecSchema.js";

/** Built-in GPUs. */
export type GpuCatalog = readonly GpuSpecFile[];

/** The names of a GPU, as its spec file has them. */
export interface NamedGpu {
  readonly id: string;
  readonly name: string;
  readonly aliases?: readonly string[];
}

/** The GPU that goes by a name, as `resolveGpuId` compares names; null when none does. */
export function findGpu<T extends NamedGpu>(name: string, catalog: readonly T[]): T | null {
  const wanted = bareName(name);
  return catalog.find((gpu) => namesOf(gpu).some((known) => bareName(known) === wanted)) ?? null;
}

/**
 * The GPU a user named, by id, alias or product name; case, punctuation, a leading "NVIDIA" and "GB" do not count.
 * @throws ConfigError naming the nearest known id
 */
export function resolveGpuId(text: string, catalog: GpuCatalog): GpuSpecFile {
  const found = findGpu(text, catalog);
  if (found !== null) return found;
  const near = nearestName(
    text,
    catalog.flatMap((gpu) => [gpu.id, ...gpu.aliases]),
  );
  const suggestion = near === null ? "" : `did you mean ${near}? `;
  throw new ConfigError([
    {
      path: "--gpu",
      received: JSON.stringify(text),
      allowed: `${suggestion}must be one of ${catalog.map((gpu) => gpu.id).join(", ")}, or a path to a GPU spec file`,
    },
  ]);
}

/** `NVIDIA A100-SXM4-80GB` → `a100sxm480`. */
function bareName(name: string): string {
  return name
    .toLowerCase()
    .replace(/^\s*nvidia/, "")
    .replace(/(?<=\d)\s*gb/g, "")
    .replace(/[^a-z0-9]/g, "");
}

function namesOf(gpu: NamedGpu): string[] {
  return [gpu.id, gpu.name, ...(gpu.aliases ?? [])];
}
