import type { EngineConfig, SamplingConfig } from "../../core/config/engineConfig.js";
import { resolveDtypes, resolveEngine } from "../../core/engine/resolveEngine.js";
import { type StepDifference, stepDifferences } from "../../core/engine/stepDifferences.js";
import type { Characterization } from "../../core/kernels/characterization/characterization.js";
import {
  type BandwidthChange,
  bandwidthChanges,
  characterizeEfficiency,
} from "../../core/kernels/characterization/characterizeEfficiency.js";
import {
  fitCharacterization,
  type NotMeasured,
  type PatternFit,
} from "../../core/kernels/characterization/fitCharacterization.js";
import { type MemoryFactor, memoryFactors } from "../../core/kernels/characterization/memoryFactors.js";
import { kvPageBytes } from "../../core/model/kvCacheSize.js";
import { attentionKinds } from "../../core/model/layerKinds.js";
import { kernelHandoversPerLayer } from "../../core/stepmodel/kernelHandovers.js";
import { DEFAULT_WAITS } from "../../core/stepmodel/stepWaits.js";
import { loadGpu, loadGpuCatalog, loadModel } from "../catalog.js";
import { loadKernelEfficiency } from "../kernelEfficiency.js";
import { buildDeployment } from "../loadDeployment.js";
import { readCharacterizationTable } from "./characterizationTable.js";

/** What the difference is shown on. */
export interface CharacterizeConfig {
  readonly model: string;
  readonly gpu: string;
  readonly engine: EngineConfig;
  readonly sampling: SamplingConfig;
}

/** The `roofserve.characterize/1` contract. */
export interface CharacterizeReport {
  readonly schema: "roofserve.characterize/1";
  readonly file: string;
  /** What `--out` writes. */
  readonly characterization: Characterization;
  /** Every fit, those of block sizes that are not used included. */
  readonly patterns: readonly PatternFit[];
  readonly notMeasured: readonly NotMeasured[];
  /** Fractions that 16-bit kernels reach on large shapes, before and after. */
  readonly changes: readonly BandwidthChange[];
  readonly factors: readonly FactorChange[];
  readonly kernelGap: KernelGapChange | null;
  readonly model: string;
  readonly tensorParallelSize: number;
  readonly steps: readonly StepDifference[];
}

/** A factor on memory bandwidth before and after. */
export interface FactorChange extends Omit<MemoryFactor, "fraction"> {
  readonly fractionBefore: number;
  readonly fractionAfter: number;
}

/** The launch gap as the model's layers feel it. */
export interface KernelGapChange {
  /** How often a kernel follows one of another kind, per layer. */
  readonly handoversPerLayer: number;
  readonly usPerLayerBefore: number;
  readonly usPerLayerAfter: number;
}

/**
 * Fits the micro-benchmarks of a GPU and shows what they change.
 * @param path the CSV, or a folder that holds it
 * @throws ConfigError, DataFileError, CapacityError
 */
export function characterizeGpu(path: string, config: CharacterizeConfig): CharacterizeReport {
  const { model, engine, sampling } = config;
  const gpu = loadGpu(config.gpu);
  const architecture = loadModel(model);
  const { file, rows, source } = readCharacterizationTable(path, gpu.id, loadGpuCatalog());
  const { attention } = attentionKinds(architecture)[0]!;
  const { blockSize, tensorParallelSize } = resolveEngine(engine, architecture, gpu);
  const { kvDtype } = resolveDtypes(engine, architecture);
  // Keys and values of a block lie apart; latents are both in one.
  const pageBytes = kvPageBytes(attention, { blockSize, tensorParallelSize, kvDtype });
  const kvBlockBytes = attention.kind === "gqa" ? pageBytes / 2 : pageBytes;
  const fit = fitCharacterization(rows, { file, gpu, source, kvBlockBytes });
  const { characterization } = fit;
  const before = loadKernelEfficiency(gpu).fit;
  const factorsAfter = memoryFactors(characterizeEfficiency(before, gpu, characterization));
  const handoversPerLayer = kernelHandoversPerLayer(architecture);
  const { launchGap } = characterization;
  return {
    schema: "roofserve.characterize/1",
    file,
    ...fit,
    changes: bandwidthChanges(before, gpu, characterization),
    factors: memoryFactors(before).map(({ fraction, ...factor }, i) => ({
      ...factor,
      fractionBefore: fraction,
      fractionAfter: factorsAfter[i]!.fraction,
    })),
    kernelGap:
      launchGap === null
        ? null
        : {
            handoversPerLayer,
            usPerLayerBefore: DEFAULT_WAITS.kernelGapUsPerLayer,
            usPerLayerAfter: launchGap.us * handoversPerLayer,
          },
    model: architecture.id,
    tensorParallelSize,
    steps: stepDifferences(buildDeployment(config, null), buildDeployment(config, characterization), engine, sampling),
  };
}
