import { InvariantError } from "../core/errors/simulationError.js";
import type { GpuSpec } from "../core/hardware/gpuSpec.js";
import type { GpuEfficiency } from "../core/kernels/gpuEfficiency.js";
import { transferEfficiency, transferSlowdown, transferSource } from "../core/kernels/transferEfficiency.js";
import { readEfficiency } from "./benchData/efficiencyFile.js";
import { loadGpuEfficiency } from "./catalog.js";
import { shortSha256 } from "./pricingFiles.js";

/** What prices kernels that no table has, and what a reader should know of it. */
export interface KernelEfficiency {
  readonly fit: GpuEfficiency;
  readonly source: "modelled" | "transferred";
  readonly notes: readonly string[];
}

/**
 * A GPU's efficiencies: those of the user's file, carried over where it is another GPU's; else the built-in ones, its own
 * or a relative's.
 * @param hasTables whether they only price what the user's tables have no rows for
 * @throws DataFileError when the file is none of `bench-data fit`
 */
export function loadKernelEfficiency(gpu: GpuSpec, file: string | null = null, hasTables = false): KernelEfficiency {
  if (file !== null) return efficiencyOfFile(file, gpu);
  const own = loadGpuEfficiency(gpu.id);
  if (own !== null) return { fit: own, source: "modelled", notes: [] };
  const source = transferSource(gpu);
  const relative = loadGpuEfficiency(source.gpu);
  if (relative === null) throw new InvariantError(`no fitted efficiencies for ${source.gpu}`);
  return {
    fit: transferEfficiency(relative, gpu, source.slowdown),
    source: "transferred",
    notes: [hasTables ? gapsNote(gpu.id, source.gpu) : borrowedNote(gpu.id, source.gpu)],
  };
}

function borrowedNote(gpu: string, relative: string): string {
  const expected = "expect step times to err by 3 to 15 %, 22 % at worst";
  return `no kernel measurements of ${gpu}: priced with ${relative}'s efficiencies on its datasheet peaks; ${expected}`;
}

function gapsNote(gpu: string, relative: string): string {
  return `what the tables have no rows for is priced with ${relative}'s efficiencies on the datasheet peaks of ${gpu}`;
}

function efficiencyOfFile(file: string, gpu: GpuSpec): KernelEfficiency {
  const fit = readEfficiency(file);
  const isOwn = fit.gpu.toLowerCase() === gpu.id.toLowerCase();
  const whose = `kernel efficiencies of ${file} (SHA-256 ${shortSha256(file)}…)`;
  if (isOwn) return { fit, source: "modelled", notes: [`priced with the ${whose}`] };
  const slowdown = transferSlowdown(fit, gpu);
  const guess = slowdown === 1 ? "" : `, ${((slowdown - 1) * 100).toFixed(0)} % slower than its datasheet promises`;
  return {
    fit: transferEfficiency(fit, gpu, slowdown),
    source: "transferred",
    notes: [`priced with the ${whose}, measured on ${fit.gpu} and carried over to ${gpu.id}${guess}`],
  };
}
