import { basename } from "node:path";
import { DataFileError } from "../../core/errors/simulationError.js";
import type { GpuSpec } from "../../core/hardware/gpuSpec.js";
import { type BenchmarkMethod, type EfficiencyFit, fitEfficiency } from "../../core/kernels/fit/fitEfficiency.js";
import { type MeasuredKernels, measuredKernels } from "../../core/kernels/fit/measuredKernels.js";
import { loadModelCatalog } from "../catalog.js";
import { loadKernelEfficiency } from "../kernelEfficiency.js";
import { sha256, shortSha256 } from "../pricingFiles.js";
import { readCollectedSidecar } from "./collectedSidecar.js";
import { type BenchDataCoverage, listBenchData } from "./listBenchData.js";
import type { ParsedRow } from "./parseTable.js";
import { readBenchData } from "./readBenchData.js";
import { impossibleRows } from "./rowFloor.js";
import { shapesOfModels } from "./shapesOfModels.js";
import { FAMILY_COLUMNS } from "./tableFamily.js";
import { folderOfGpu, type TableFile } from "./tableFiles.js";
import { unrepeatableRows } from "./unusableRows.js";

/** The `roofserve.bench-data-fit/1` contract. */
export interface BenchDataFit extends EfficiencyFit {
  readonly schema: "roofserve.bench-data-fit/1";
  readonly gpu: string;
  readonly data: string;
  /** Of the kernel tables in the folder. */
  readonly sha256: string;
  /** What priced these kernels before, in words. */
  readonly before: string;
  /** Rows that cannot be believed. */
  readonly numLeftOut: number;
  readonly method: BenchmarkMethod;
  /** What a reader of the errors must know. */
  readonly notes: readonly string[];
}

/** What built-in efficiencies were fitted to; tables converted from it say so. */
const BUILT_IN_MEASUREMENTS = "aiconfigurator";

/** Measured families of which the file has parameters that no table of the layout tells. */
export const NEVER_FITTED = ["all-reduce", "small kernels", "sampling"] as const;

/**
 * Fits a GPU's efficiencies to the measured rows of a folder of tables.
 *
 * Tables with a `collected.json` read fresh inputs and drew experts at random, as bench_data/collect does. All others are
 * taken for benchmarks that come back to a few copies of their inputs: rows that may have run from L2 cannot raise what
 * memory gives.
 *
 * @throws DataFileError when the folder has no measured kernels of the GPU, or too few for any family
 */
export function fitBenchData(
  data: string,
  gpu: GpuSpec,
  onFamily: (family: string, number: number, of: number) => void = () => {},
): BenchDataFit {
  const isCollected = readCollectedSidecar(data, folderOfGpu(gpu.id)) !== null;
  const method: BenchmarkMethod = isCollected
    ? { cacheBytes: 0, expertRouting: "drawn" }
    : { cacheBytes: gpu.memory.l2Bytes, expertRouting: "dealt" };
  let numLeftOut = 0;
  const { tables, files, otherGpuFolders } = readBenchData(data, gpu, (table, rows) => {
    const believed = believedRows(table, rows, gpu, isCollected);
    numLeftOut += rows.length - believed.length;
    return believed;
  });
  if (files.length === 0) {
    const others = otherGpuFolders.length === 0 ? "no tables at all" : `tables of ${otherGpuFolders.join(", ")}`;
    throw new DataFileError(
      { file: data },
      `has no kernel tables of ${gpu.id}, but ${others}; give another --gpu or --data`,
    );
  }
  const coverage = listBenchData(data).filter((some) => some.gpu === folderOfGpu(gpu.id));
  const measured = measuredKernels(tables, (family) => `${family}, ${sourcesOf(coverage, family)}`);
  requireRows(measured, data, gpu);
  const { fit: former, source, notes } = loadKernelEfficiency(gpu);
  const kept = "what was not measured keeps its values";
  const tableSet = `${basename(data)} (tables of SHA-256 ${shortSha256(data)})`;
  const words = `fitted by roofserve bench-data fit to ${tableSet}; ${kept}: ${former.source}`;
  const models = shapesOfModels(loadModelCatalog().map(({ architecture }) => architecture));
  const fitted = fitEfficiency(gpu, measured, { former, source: words, method, models, onFamily });
  requireFit(fitted, data);
  const hasFit = fitted.outcomes.some(({ verdict }) => verdict === "fitted");
  return {
    schema: "roofserve.bench-data-fit/1",
    gpu: gpu.id,
    data,
    sha256: sha256(data),
    before: source === "modelled" ? `the built-in efficiencies of ${gpu.id}` : notes[0]!,
    numLeftOut,
    method,
    notes: notesOf(hasFit, coverage),
    ...fitted,
    efficiency: hasFit ? fitted.efficiency : { ...fitted.efficiency, source: former.source },
  };
}

/**
 * Rows that a fit can learn from. What ran from L2 stays where the fit judges it apart, and fp8 products without the
 * quantisation of their input do too: engines fuse it into the kernel before.
 */
function believedRows(
  table: TableFile,
  rows: readonly ParsedRow[],
  gpu: GpuSpec,
  isCollected: boolean,
): readonly ParsedRow[] {
  const impossible = impossibleRows(table, rows, gpu).filter(
    ({ fitsInCache, isUnquantizedInput }) => isCollected || !(fitsInCache || isUnquantizedInput),
  );
  const unrepeatable = isCollected ? unrepeatableRows(rows, FAMILY_COLUMNS[table.family]) : [];
  const left = new Set([...impossible.map(({ row }) => row), ...unrepeatable]);
  return left.size === 0 ? rows : rows.filter(({ row }) => !left.has(row));
}

/** What the tables of a family say of themselves. */
function sourcesOf(coverage: readonly BenchDataCoverage[], family: string): string {
  const sources = coverage.filter((some) => some.family.startsWith(family)).flatMap((some) => some.sources);
  return [...new Set(sources)].sort().join("; ");
}

/** @throws DataFileError when no row was measured */
function requireRows(measured: MeasuredKernels, data: string, gpu: GpuSpec): void {
  if (Object.values(measured).some((byDtype) => Object.keys(byDtype).length > 0)) return;
  const problem = `has no measured products, experts or attention of ${gpu.id}`;
  throw new DataFileError(
    { file: data },
    `${problem}: modelled rows have nothing to say beyond the model they come from`,
  );
}

function notesOf(hasFit: boolean, coverage: readonly BenchDataCoverage[]): string[] {
  const isSeen = coverage.some(({ sources }) => sources.some((source) => source.startsWith(BUILT_IN_MEASUREMENTS)));
  const seen =
    "the built-in efficiencies were fitted to NVIDIA's tables too and have seen these shapes: `unseen before` is no held-out error";
  const kept = "no fit is better than what is in force: these efficiencies price as those before";
  return [...(isSeen ? [seen] : []), ...(hasFit ? [] : [kept])];
}

/** @throws DataFileError when no family has rows enough */
function requireFit({ outcomes }: EfficiencyFit, data: string): void {
  if (outcomes.some(({ verdict }) => verdict !== "too few rows")) return;
  const reasons = outcomes.map(({ family, dtype, keptBecause }) => `${family} ${dtype}: ${keptBecause}`);
  throw new DataFileError(
    { file: data },
    `no family has rows enough for a fit; ${reasons.join("; ")}; measure more shapes`,
  );
}
