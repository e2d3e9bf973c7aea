import type { EngineConfig } from "../core/config/engineConfig.js";
import {
  type Hypothesis,
  type PricingConfig,
  pricingConfigSchema,
  toggledHypotheses,
} from "../core/config/pricingConfig.js";
import type { Deployment, StepPricing } from "../core/engine/createServer.js";
import { ConfigError } from "../core/errors/simulationError.js";
import type { GpuSpec } from "../core/hardware/gpuSpec.js";
import type { Characterization } from "../core/kernels/characterization/characterization.js";
import { createEfficiencyKernelModel } from "../core/kernels/efficiencyKernelModel.js";
import { kernelErrors } from "../core/kernels/kernelErrors.js";
import type { KernelModel } from "../core/kernels/kernelModel.js";
import { atPeakBandwidth } from "../core/kernels/peakBandwidth.js";
import type { KernelTableSet } from "../core/kernels/tables/kernelTable.js";
import { createNearestMfuKernelModel } from "../core/kernels/tables/nearestMfuKernelModel.js";
import { createTableKernelModel, type TableUsage } from "../core/kernels/tables/tableKernelModel.js";
import { hasLatentAttention } from "../core/model/layerKinds.js";
import { type StepSwitches, stepSwitches } from "../core/stepmodel/stepSwitches.js";
import { unimportedNotes } from "./benchData/collectedSidecar.js";
import { readBenchData } from "./benchData/readBenchData.js";
import { calibrated } from "./calibration/calibrated.js";
import { readCalibration } from "./calibration/calibrationFile.js";
import { BENCH_DATA_FOLDER, loadGpu, loadModel } from "./catalog.js";
import { readCharacterization } from "./characterization/characterizationFile.js";
import { characterized } from "./characterization/characterized.js";
import { loadKernelEfficiency } from "./kernelEfficiency.js";
import { changedFileNotes, shortSha256 } from "./pricingFiles.js";

/** What a run config says of the deployment; `gpu` and `model` are names or paths. */
export interface DeploymentConfig {
  readonly model: string;
  readonly gpu: string;
  /** Folder of kernel tables; default none. */
  readonly benchData?: string | null;
  /** Default: the additive model, nothing corrected. */
  readonly pricing?: PricingConfig;
  /** What `vllm serve` is told; default vLLM's own. A calibration may hold for one server and not for another. */
  readonly engine?: EngineConfig;
}

const LATENT_ATTENTION =
  "latent attention was held against one public benchmark, DeepSeek-R1 on 8 H200, and came out 18 to 40 % too fast, fivefold on prompts of 128 tokens";
const TABLES_FIRST = "kernels in the tables keep their prices; the characterisation changes the others";

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
  const pricing = config.pricing ?? pricingConfigSchema.parse({});
  const switches = requestedSwitches(pricing);
  const hypotheses: ReadonlySet<Hypothesis> = switches?.hypotheses ?? new Set();
  const kernelEfficiency = loadKernelEfficiency(gpu, pricing.kernelEfficiency, Boolean(config.benchData));
  const efficiency = characterized(kernelEfficiency, architecture, gpu, characterization, hypotheses);
  const changed = changedFileNotes({ pricing, benchData: config.benchData ?? null });
  const unimported = unimportedNotes(config.benchData ?? null);
  const precedence = characterization === null || !config.benchData ? [] : [TABLES_FIRST];
  const { stepModel, kernelEfficiency: fitFile } = pricing;
  const isBuiltIn = stepModel === "additive" && !config.benchData && characterization === null && fitFile === null;
  const latent = isBuiltIn && hasLatentAttention(architecture) ? [LATENT_ATTENTION] : [];
  const hasBandwidth = switches?.hypotheses.has("H1") ?? true;
  const fitted = hasBandwidth ? efficiency.fit : atPeakBandwidth(efficiency.fit);
  const fallback = createEfficiencyKernelModel(gpu, fitted, efficiency.source);
  const kernels = switches?.hypotheses.has("H6") === false ? nearestKernels : interpolatedKernels;
  const { kernelModel, notes } = kernels(config.benchData ?? null, gpu, fallback);
  const bandwidthFraction = hasBandwidth ? efficiency.fit.gemm.bf16.memoryEfficiency : 1;
  const stepPricing: StepPricing =
    switches === null ? { kind: "roofline-v1" } : { kind: "switched", switches, bandwidthFraction };
  const deployment: Deployment = {
    architecture,
    gpu,
    kernelModel,
    kernelErrors: kernelErrors(efficiency.fit, gpu.id),
    ...(pricing.stepModel === "additive" && pricing.toggleHypotheses === null ? {} : { stepPricing }),
    ...(efficiency.waits === null ? {} : { constants: { waits: efficiency.waits } }),
    notes: () => [...changed, ...efficiency.notes, ...latent, ...precedence, ...unimported, ...notes()],
  };
  if (pricing.calibration === null) return deployment;
  return calibrated(deployment, readCalibration(pricing.calibration), config.engine);
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
  const named = tablesNote(folder);
  return { kernelModel: tableModel, notes: () => [named, ...fallbackNotes(tableModel.usage())] };
}

/** The nearest rows of the user's tables, or of the built-in ones. */
function nearestKernels(folder: string | null, gpu: GpuSpec, fallback: KernelModel): Kernels {
  const tables = folder === null ? readBenchData(BENCH_DATA_FOLDER, gpu) : null;
  if (tables !== null && tables.files.length === 0) {
    const built = `built-in ones are there for ${[...new Set(tables.otherGpuFolders)].join(", ")}`;
    const allowed = `a GPU with kernel tables, which a step model without H6 looks its efficiencies up in; ${built}: choose one of these, toggle H6, or give --bench-data`;
    throw new ConfigError([{ path: "gpu", received: gpu.id, allowed }]);
  }
  const rows = tables?.tables ?? tablesOf(folder as string, gpu);
  const notes = folder === null ? [] : [tablesNote(folder)];
  return { kernelModel: createNearestMfuKernelModel(gpu, rows, fallback), notes: () => notes };
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

/** Says that not everybody's prices are at work, and how to tell whose. */
function tablesNote(folder: string): string {
  return `kernels are priced from the tables in ${folder} (SHA-256 ${shortSha256(folder)}…)`;
}

/** Which kernel families the tables could not price, and which they had to be carried far for. */
function fallbackNotes(usage: readonly TableUsage[]): string[] {
  const notes: string[] = [];
  const fellBack = usage.filter(({ numFellBack }) => numFellBack > 0).map(({ family }) => family);
  if (fellBack.length > 0) notes.push(`no table for ${fellBack.join(", ")}: priced by the efficiency model`);
  const far = usage.filter(({ farthestLn }) => farthestLn > FAR_LN).map(farFamily);
  if (far.length > 0)
    notes.push(
      `beyond the rows of the tables (${far.join("; ")}): the efficiency model prices these, scaled to the nearest rows; see the lookups of roofserve step`,
    );
  return notes;
}

/** From a shape 1.25 times as large as any row, or as much smaller, on: nearer, an edge carries. */
const FAR_LN = Math.log(1.25);

function farFamily({ family, numExtrapolated, numPriced, farthestLn }: TableUsage): string {
  return `${family} up to ${Math.exp(farthestLn).toFixed(1)} times, ${numExtrapolated} of ${numPriced} prices`;
}
