import type { PricingConfig } from "../core/config/pricingConfig.js";
import type { Deployment } from "../core/engine/createServer.js";
import { ConfigError } from "../core/errors/simulationError.js";
import type { Characterization } from "../core/kernels/characterization/characterization.js";
import { createEfficiencyKernelModel } from "../core/kernels/efficiencyKernelModel.js";
import { createTableKernelModel, type TableUsage } from "../core/kernels/tables/tableKernelModel.js";
import { readBenchData } from "./benchData/readBenchData.js";
import { loadGpu, loadModel } from "./catalog.js";
import { readCharacterization } from "./characterization/characterizationFile.js";
import { characterized } from "./characterization/characterized.js";
import { loadKernelEfficiency } from "./kernelEfficiency.js";

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
  const file = config.pricing?.characterization ?? null;
  return buildDeployment(config, file === null ? null : readCharacterization(file));
}

/** `loadDeployment` with a characterisation that need not be a file; null = none, whatever the config names. */
export function buildDeployment(config: DeploymentConfig, characterization: Characterization | null): Deployment {
  const architecture = loadModel(config.model);
  const gpu = loadGpu(config.gpu);
  const benchDataFolder = config.benchData ?? null;
  const priced = characterized(loadKernelEfficiency(gpu), architecture, gpu, characterization);
  const { efficiency, source, notes, constants } = priced;
  const kernelModel = createEfficiencyKernelModel(gpu, efficiency, source);
  if (benchDataFolder === null) {
    return { architecture, gpu, kernelModel, constants, notes: () => notes };
  }
  const { tables, files, otherGpuFolders } = readBenchData(benchDataFolder, gpu);
  if (files.length === 0) {
    const others =
      otherGpuFolders.length === 0 ? "no tables at all" : `tables of ${[...new Set(otherGpuFolders)].join(", ")}`;
    const allowed = `must hold kernel tables of ${gpu.id}; it has ${others}`;
    throw new ConfigError([{ path: "--bench-data", received: JSON.stringify(benchDataFolder), allowed }]);
  }
  const tableModel = createTableKernelModel(gpu, tables, kernelModel);
  const precedence =
    characterization === null
      ? []
      : ["kernels in the tables keep their prices; the characterisation changes the others"];
  const allNotes = () => [...notes, ...precedence, ...fallbackNotes(tableModel.usage())];
  return { architecture, gpu, kernelModel: tableModel, constants, notes: allNotes };
}

/** Which kernel families the tables could not price. */
function fallbackNotes(usage: readonly TableUsage[]): string[] {
  const fellBack = usage.filter(({ numFellBack }) => numFellBack > 0).map(({ family }) => family);
  return fellBack.length === 0 ? [] : [`no table for ${fellBack.join(", ")}: priced by the built-in efficiency model`];
}
