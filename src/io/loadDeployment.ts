import { type PricingConfig, pricingConfigSchema, toggledHypotheses } from "../core/config/pricingConfig.js";
import type { Deployment, StepPricing } from "../core/engine/createServer.js";
import { ConfigError, InvariantError } from "../core/errors/simulationError.js";
import type { GpuSpec } from "../core/hardware/gpuSpec.js";
import { createEfficiencyKernelModel } from "../core/kernels/efficiencyKernelModel.js";
import type { GpuEfficiency } from "../core/kernels/gpuEfficiency.js";
import { kernelErrors } from "../core/kernels/kernelErrors.js";
import type { KernelModel } from "../core/kernels/kernelModel.js";
import { atPeakBandwidth } from "../core/kernels/peakBandwidth.js";
import type { KernelTableSet } from "../core/kernels/tables/kernelTable.js";
import { createNearestMfuKernelModel } from "../core/kernels/tables/nearestMfuKernelModel.js";
import { createTableKernelModel, type TableUsage } from "../core/kernels/tables/tableKernelModel.js";
import { transferEfficiency, transferSource } from "../core/kernels/transferEfficiency.js";
import { type StepSwitches, stepSwitches } from "../core/stepmodel/stepSwitches.js";
import { readBenchData } from "./benchData/readBenchData.js";
import { BENCH_DATA_FOLDER, loadGpu, loadGpuEfficiency, loadModel } from "./catalog.js";

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
  const pricing = config.pricing ?? pricingConfigSchema.parse({});
  const switches = requestedSwitches(pricing);
  const efficiency = efficiencyOf(gpu);
  const hasBandwidth = switches?.hypotheses.has("H1") ?? true;
  const fitted = hasBandwidth ? efficiency.fit : atPeakBandwidth(efficiency.fit);
  const fallback = createEfficiencyKernelModel(gpu, fitted, efficiency.source);
  const kernels = switches?.hypotheses.has("H6") === false ? nearestKernels : interpolatedKernels;
  const { kernelModel, notes } = kernels(config.benchData ?? null, gpu, fallback);
  const bandwidthFraction = hasBandwidth ? efficiency.fit.gemm.bf16.memoryEfficiency : 1;
  const stepPricing: StepPricing =
    switches === null ? { kind: "roofline-v1" } : { kind: "switched", switches, bandwidthFraction };
  return {
    architecture,
    gpu,
    kernelModel,
    kernelErrors: kernelErrors(efficiency.fit, gpu.id),
    ...(pricing.stepModel === "additive" && pricing.toggleHypotheses === null ? {} : { stepPricing }),
    notes: () => [...efficiency.notes, ...notes()],
  };
}

/** @throws ConfigError when roofline-v1 is asked to toggle what it does not have */
function requestedSwitches(pricing: PricingConfig): StepSwitches | null {
  const switches = stepSwitches(pricing.stepModel, toggledHypotheses(pricing));
  if (switches === null && pricing.toggleHypotheses !== null) {
    const allowed = "leave it out: roofline-v1 has no hypotheses; additive and roofline-v2 have";
    throw new ConfigError([{ path: "pricing.toggleHypotheses", received: pricing.toggleHypotheses, allowed }]);
  }
  return switches;
}

/** A kernel model, with what a reader should know of it, asked after the run. */
interface Kernels {
  readonly kernelModel: KernelModel;
  readonly notes: () => readonly string[];
}

/** The user's tables, interpolated, before the fitted efficiencies. */
function interpolatedKernels(folder: string | null, gpu: GpuSpec, fallback: KernelModel): Kernels {
  if (folder === null) return { kernelModel: fallback, notes: () => [] };
  const tableModel = createTableKernelModel(gpu, tablesOf(folder, gpu), fallback);
  return { kernelModel: tableModel, notes: () => fallbackNotes(tableModel.usage()) };
}

/** The nearest rows of the user's tables, or of the built-in ones. */
function nearestKernels(folder: string | null, gpu: GpuSpec, fallback: KernelModel): Kernels {
  const tables = folder === null ? readBenchData(BENCH_DATA_FOLDER, gpu) : null;
  if (tables !== null && tables.files.length === 0) {
    const built = `built-in ones are there for ${[...new Set(tables.otherGpuFolders)].join(", ")}`;
    const allowed = `looks efficiencies up in kernel tables (it is without H6), and there are none of ${gpu.id}; ${built}: choose one of these, toggle H6, or give --bench-data`;
    throw new ConfigError([{ path: "pricing.stepModel", received: "a model without H6", allowed }]);
  }
  const rows = tables?.tables ?? tablesOf(folder as string, gpu);
  return { kernelModel: createNearestMfuKernelModel(gpu, rows, fallback), notes: () => [] };
}

/** @throws ConfigError when the folder has nothing for the GPU */
function tablesOf(folder: string, gpu: GpuSpec): KernelTableSet {
  const { tables, files, otherGpuFolders } = readBenchData(folder, gpu);
  if (files.length > 0) return tables;
  const others =
    otherGpuFolders.length === 0 ? "no tables at all" : `tables of ${[...new Set(otherGpuFolders)].join(", ")}`;
  const allowed = `must hold kernel tables of ${gpu.id}; it has ${others}`;
  throw new ConfigError([{ path: "--bench-data", received: JSON.stringify(folder), allowed }]);
}

/** Which kernel families the tables could not price. */
function fallbackNotes(usage: readonly TableUsage[]): string[] {
  const fellBack = usage.filter(({ numFellBack }) => numFellBack > 0).map(({ family }) => family);
  return fellBack.length === 0 ? [] : [`no table for ${fellBack.join(", ")}: priced by the built-in efficiency model`];
}

/** The GPU's own fitted efficiencies, or a relative's. */
function efficiencyOf(gpu: GpuSpec): { fit: GpuEfficiency; source: "modelled" | "transferred"; notes: string[] } {
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
