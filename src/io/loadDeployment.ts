import type { PricingConfig } from "../core/config/pricingConfig.js";
import type { Deployment } from "../core/engine/createServer.js";
import { ConfigError, InvariantError } from "../core/errors/simulationError.js";
import type { GpuSpec } from "../core/hardware/gpuSpec.js";
import { createEfficiencyKernelModel } from "../core/kernels/efficiencyKernelModel.js";
import type { KernelModel } from "../core/kernels/kernelModel.js";
import { createTableKernelModel, type TableUsage } from "../core/kernels/tables/tableKernelModel.js";
import { transferEfficiency, transferSource } from "../core/kernels/transferEfficiency.js";
import { readBenchData } from "./benchData/readBenchData.js";
import { loadGpu, loadGpuEfficiency, loadModel } from "./catalog.js";

/** What a run config says of the deployment; `gpu` and `model` are names or paths. */
export interface DeploymentConfig {
  readonly model: string;
  readonly gpu: string;
  /** Folder of kernel tables; default none. */
  readonly benchData?: string | null;
  /** Default: the additive model, nothing corrected. */
  readonly pricing?: PricingConfig;
}

/**
 * Loads a model and a GPU by name or path, with what prices the kernels: the GPU's own fitted efficiencies, or a
 * relative's transferred to it; and before those the tables of `benchData`, where given.
 * @throws ConfigError, DataFileError
 */
export function loadDeployment(config: DeploymentConfig): Deployment {
  const architecture = loadModel(config.model);
  const gpu = loadGpu(config.gpu);
  const benchDataFolder = config.benchData ?? null;
  const { kernelModel, notes } = efficiencyModel(gpu);
  if (benchDataFolder === null) {
    return { architecture, gpu, kernelModel, notes: () => notes };
  }
  const { tables, files, otherGpuFolders } = readBenchData(benchDataFolder, gpu);
  if (files.length === 0) {
    const others =
      otherGpuFolders.length === 0 ? "no tables at all" : `tables of ${[...new Set(otherGpuFolders)].join(", ")}`;
    const allowed = `must hold kernel tables of ${gpu.id}; it has ${others}`;
    throw new ConfigError([{ path: "--bench-data", received: JSON.stringify(benchDataFolder), allowed }]);
  }
  const tableModel = createTableKernelModel(gpu, tables, kernelModel);
  return { architecture, gpu, kernelModel: tableModel, notes: () => [...notes, ...fallbackNotes(tableModel.usage())] };
}

/** Which kernel families the tables could not price. */
function fallbackNotes(usage: readonly TableUsage[]): string[] {
  const fellBack = usage.filter(({ numFellBack }) => numFellBack > 0).map(({ family }) => family);
  return fellBack.length === 0 ? [] : [`no table for ${fellBack.join(", ")}: priced by the built-in efficiency model`];
}

function efficiencyModel(gpu: GpuSpec): { kernelModel: KernelModel; notes: string[] } {
  const own = loadGpuEfficiency(gpu.id);
  if (own !== null) return { kernelModel: createEfficiencyKernelModel(gpu, own, "modelled"), notes: [] };
  const source = transferSource(gpu);
  const efficiency = loadGpuEfficiency(source.gpu);
  if (efficiency === null) throw new InvariantError(`no fitted efficiencies for ${source.gpu}`);
  const transferred = transferEfficiency(efficiency, gpu, source.slowdown);
  return {
    kernelModel: createEfficiencyKernelModel(gpu, transferred, "transferred"),
    notes: [
      `no kernel measurements of ${gpu.id}: priced with ${source.gpu}'s efficiencies on its datasheet peaks; ` +
        "expect step times to err by 3 to 15 %, 22 % at worst",
    ],
  };
}
