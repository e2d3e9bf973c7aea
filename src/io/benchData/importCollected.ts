import { join } from "node:path";
import { DataFileError } from "../../core/errors/simulationError.js";
import { findGpu, type GpuCatalog } from "../../core/hardware/gpuCatalog.js";
import type { GpuSpec } from "../../core/hardware/gpuSpec.js";
import { groupRows } from "../../core/kernels/tables/tableReading.js";
import { loadModelCatalog } from "../catalog.js";
import { readCharacterizationTable } from "../characterization/characterizationTable.js";
import { sha256 } from "../pricingFiles.js";
import { shellWord } from "../shellWord.js";
import type { CheckFinding, TableCheck } from "./benchDataCheck.js";
import { checkBenchData } from "./checkBenchData.js";
import { type CollectedSidecar, readCollectedSidecar } from "./collectedSidecar.js";
import { readBenchData, readSoundTable } from "./readBenchData.js";
import { type TableCoverage, tableCoverage } from "./tableCoverage.js";
import type { BenchFamily } from "./tableFamily.js";
import { CHARACTERIZATION_FOLDER, findTableFiles, folderOfGpu, gpuOfFolder, type TableFile } from "./tableFiles.js";
import { filesOfGpu, type Loss, replaceTableSet, requireApart, type TableSetFile } from "./tableSet.js";
import { noTables, requireMeasured, unknownGpus } from "./unimportable.js";
import { type UnusableRow, unusableRows } from "./unusableRows.js";

/** What became of one table. */
export interface ImportedTable {
  /** In the layout. */
  readonly path: string;
  readonly family: BenchFamily;
  readonly gpu: string;
  /** Rows taken. */
  readonly numRows: number;
  /** Rows left out, by line of the source. */
  readonly leftOut: readonly UnusableRow[];
}

/** The `roofserve.bench-data-import/1` contract. */
export interface CollectedImport {
  readonly schema: "roofserve.bench-data-import/1";
  readonly source: string;
  /** Folder of the set. */
  readonly out: string;
  readonly gpus: readonly string[];
  readonly tables: readonly ImportedTable[];
  /** Of all tables in the set, those of other GPUs that were there before included. */
  readonly sha256: string;
  /** Folder that the set which was there before now has; null where there was none, or where it is the same. */
  readonly former: string | null;
  /** The set that was there is the same to the byte, and was left as it is. */
  readonly isUnchanged: boolean;
  /** What the set now has of each imported GPU. */
  readonly coverage: readonly TableCoverage[];
  readonly notes: readonly string[];
}

/** With a larger share of rows faster than physics it is not the rows that are wrong, but the GPU. */
const MOST_IMPOSSIBLE_FRACTION = 0.5;
/** Of NVIDIA's H200 tables no family loses more than 1.4 %: where three times as many are wrong, others may well be. */
const MANY_LEFT_OUT_FRACTION = 0.05;
const NUM_PHASES = 4;

/**
 * Makes a measured folder a table set for `--bench-data`: checks all of it, leaves out rows that cannot be believed, and
 * puts the rest in the place of what the set had of the same GPUs. Nothing is written before everything is sound; the set
 * that was there before keeps a folder of its own, unless the new one is the same.
 *
 * @param gpus GPUs that may have been measured: built-in ones, and the user's own
 * @param only the one GPU to import; null = all of the folder
 * @param onPhase called before each part of the work
 * @throws DataFileError saying what must be mended
 */
export function importCollected(
  source: string,
  out: string,
  gpus: GpuCatalog,
  only: GpuSpec | null = null,
  onPhase: (number: number, of: number, what: string) => void = () => {},
): CollectedImport {
  requireApart(source, out);
  onPhase(1, NUM_PHASES, `checking ${source}`);
  const wanted = (gpuFolder: string) => only === null || gpuOfFolder(gpuFolder) === only.id.toLowerCase();
  const checks = checkBenchData(source, gpus).tables.filter(({ gpuFolder }) => wanted(gpuFolder));
  if (checks.length === 0) throw noTables(source, only);
  const strangers = checks.filter(({ gpuId }) => gpuId === null).map(({ gpuFolder }) => gpuFolder);
  if (strangers.length > 0) throw unknownGpus(source, [...new Set(strangers)], gpus);
  requireSound(source, checks);
  const specs = gpus.filter(({ id }) => checks.some(({ gpuId }) => gpuId === id));
  const notes = specs.flatMap((gpu) => deviceNotes(source, gpu, gpus));
  const imported = new Map<string, ImportedTable>();
  onPhase(2, NUM_PHASES, "looking for rows that cannot be believed");
  for (const table of findTableFiles(source).tables) {
    const gpu = specs.find(({ id }) => id.toLowerCase() === gpuOfFolder(table.gpuFolder));
    if (gpu !== undefined) imported.set(table.file, importedTable(table, gpu));
  }
  const files = specs
    .flatMap(({ id }) => filesOfGpu(source, id))
    .flatMap((file): TableSetFile[] => {
      const table = imported.get(file.from);
      if (table === undefined) return [file];
      return table.numRows === 0 ? [] : [{ ...file, withoutLines: table.leftOut.map(({ row }) => row) }];
    });
  requireOnePlace(files);
  for (const gpu of specs) requireCharacterization(source, gpu, gpus);
  const ids = specs.map(({ id }) => id);
  onPhase(3, NUM_PHASES, `writing ${out}`);
  const { former, isUnchanged, losses } = replaceTableSet(out, ids, files, (staged) =>
    requireSound(staged, checkBenchData(staged, gpus).tables),
  );
  onPhase(4, NUM_PHASES, "counting the models that are covered");
  const schema = "roofserve.bench-data-import/1";
  const tables = [...imported.values()];
  notes.push(...leftOutNotes(tables), ...lossNotes(losses, former));
  const models = loadModelCatalog().filter(({ id, baseId }) => id === baseId);
  const coverage = specs.map((gpu) => tableCoverage(readBenchData(out, gpu).tables, gpu.id, models));
  return { schema, source, out, gpus: ids, tables, sha256: sha256(out), former, isUnchanged, coverage, notes };
}

/** Families of which so many rows are left out that those which stay are to be doubted. */
function leftOutNotes(tables: readonly ImportedTable[]): string[] {
  return [...groupRows(tables, ({ gpu, family }) => `${family} of ${gpu}`)].flatMap(([family, some]) => {
    const numLeftOut = some.reduce((sum, { leftOut }) => sum + leftOut.length, 0);
    const numRead = some.reduce((sum, { numRows }) => sum + numRows, numLeftOut);
    if (numLeftOut <= MANY_LEFT_OUT_FRACTION * numRead) return [];
    const share = `${numLeftOut} of ${numRead} rows of ${family} (${Math.round((100 * numLeftOut) / numRead)} %) were left out`;
    return [
      `${share}, where a quiet GPU loses 1 or 2 %: doubt the others too, and measure again with nothing else running`,
    ];
  });
}

/** What the set had and has no more, in a line: a smaller measurement in the place of a larger one may be a mistake. */
function lossNotes(losses: readonly Loss[], former: string | null): string[] {
  if (losses.length === 0) return [];
  const lost = losses.map(({ folder, numLost, numBefore, what }) =>
    numLost === numBefore ? folder : `${numLost} of ${numBefore} ${what} of ${folder}`,
  );
  return [`no longer in the set: ${lost.join(", ")}; the former set, in ${former}, has them`];
}

/** Other findings do not stop an import: what is merely left out, and what a reader of tables copes with. */
function isFatal({ severity, kind }: CheckFinding): boolean {
  return severity === "error" && kind !== "faster-than-physics";
}

/** @throws DataFileError naming the first problem of any table, and how many there are */
function requireSound(dir: string, checks: readonly TableCheck[]): void {
  const problems = checks.flatMap(({ path, findings }) =>
    findings.filter(isFatal).map(({ message }) => ({ path, message })),
  );
  const [first] = problems;
  if (first === undefined) return;
  const more = problems.length === 1 ? "" : ` (and ${problems.length - 1} more problems)`;
  const remedy = `nothing was imported; roofserve bench-data check ${shellWord(dir)} lists everything`;
  throw new DataFileError({ file: join(dir, first.path) }, `${first.message}${more}; ${remedy}`);
}

function importedTable(table: TableFile, gpu: GpuSpec): ImportedTable {
  const { rows } = readSoundTable(table);
  const leftOut = unusableRows(table, rows, gpu);
  const numImpossible = leftOut.filter(({ reason }) => reason === "faster than physics").length;
  if (numImpossible > MOST_IMPOSSIBLE_FRACTION * rows.length) {
    const problem = `${numImpossible} of ${rows.length} rows are faster than ${gpu.id} allows: another GPU, or another unit of time`;
    throw new DataFileError({ file: table.file }, `${problem}; nothing was imported`);
  }
  return { path: table.path, family: table.family, gpu: gpu.id, numRows: rows.length - leftOut.length, leftOut };
}

/** @throws DataFileError when the folder says that another GPU was measured, or none */
function deviceNotes(source: string, gpu: GpuSpec, gpus: GpuCatalog): string[] {
  const sidecar: CollectedSidecar | null = readCollectedSidecar(source, folderOfGpu(gpu.id));
  if (sidecar === null) return [`no collected.json: which device measured the tables of ${gpu.id} was not checked`];
  requireMeasured(source, sidecar);
  const found = findGpu(sidecar.device.name, gpus);
  if (found === null) return [`${sidecar.device.name} is no GPU known here: taken for ${gpu.id}, as the folders say`];
  if (found.id === gpu.id) return [];
  const problem = `measured on ${sidecar.device.name}, which is ${found.id}, but the tables are called ${gpu.id}`;
  throw new DataFileError({ file: join(source, sidecar.path) }, `${problem}; rename the folders, or measure again`);
}

/** @throws DataFileError when two files would take one place in the set, as of `gemm/h200` and `gemm/h200_sxm` */
function requireOnePlace(files: readonly TableSetFile[]): void {
  const fromByPath = new Map<string, string>();
  for (const { from, path } of files) {
    const other = fromByPath.get(path);
    if (other !== undefined) {
      const problem = `is of the same GPU as ${other}, and one of the two would be lost; leave one of them out`;
      throw new DataFileError({ file: from }, problem);
    }
    fromByPath.set(path, from);
  }
}

/** @throws DataFileError when micro-benchmarks lie beside the tables and are malformed */
function requireCharacterization(dir: string, gpu: GpuSpec, gpus: GpuCatalog): void {
  const hasAny = filesOfGpu(dir, gpu.id).some(({ path }) => path.startsWith(`${CHARACTERIZATION_FOLDER}/`));
  if (hasAny) readCharacterizationTable(dir, gpu.id, gpus);
}
