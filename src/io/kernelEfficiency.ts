import { InvariantError } from "../core/errors/simulationError.js";
import type { GpuSpec } from "../core/hardware/gpuSpec.js";
import type { GpuEfficiency } from "../core/kernels/gpuEfficiency.js";
import { transferEfficiency, transferSource } from "../core/kernels/transferEfficiency.js";
import { loadGpuEfficiency } from "./catalog.js";

/** What prices kernels that no table has, and what a reader should know of it. */
export interface KernelEfficiency {
  readonly fit: GpuEfficiency;
  readonly source: "modelled" | "transferred";
  readonly notes: readonly string[];
}

/** A GPU's own efficiencies, or a relative's transferred to it. */
export function loadKernelEfficiency(gpu: GpuSpec): KernelEfficiency {
  const own = loadGpuEfficiency(gpu.id);
  if (own !== null) return { fit: own, source: "modelled", notes: [] };
  const source = transferSource(gpu);
  const relative = loadGpuEfficiency(source.gpu);
  if (relative === null) throw new InvariantError(`no fitted efficiencies for ${source.gpu}`);
  return {
    fit: transferEfficiency(relative, gpu, source.slowdown),
    source: "transferred",
    notes: [
      `no kernel measurements of ${gpu.id}: priced with ${source.gpu}'s efficiencies on its datasheet peaks; ` +
        "expect step times to err by 3 to 15 %, 22 % at worst",
    ],
  };
}
