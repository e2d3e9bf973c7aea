import { join } from "node:path";
import { DataFileError } from "../../core/errors/simulationError.js";
import { findGpu, type GpuCatalog } from "../../core/hardware/gpuCatalog.js";
import type { GpuSpec } from "../../core/hardware/gpuSpec.js";
import { readCharacterizationTable } from "../characterization/characterizationTable.js";
import { sha256 } from "../pricingFiles.js";
import type { CheckFinding, TableCheck } from "./benchDataCheck.js";
import { checkBenchData } from "./checkBenchData.js";
import { type CollectedSidecar, readCollectedSidecar, SELF_TEST_DEVICE } from "./collectedSidecar.js";
import { readSoundTable } from "./readBenchData.js";
import { CHARACTERIZATION_FOLDER, findTableFiles, folderOfGpu, gpuOfFolder, type TableFile } from "./tableFiles.js";
import { filesOfGpu, replaceTableSet, type TableSetFile } from "./tableSet.js";
import { type UnusableReason, unusableRows } from "./unusableRows.js";

/** What became of one table. */
export interface ImportedTable {
  /** In the layout. */
  readonly path: string;
  readonly numRows: number;
  /** Rows left out, by line of the source. */
  readonly leftOut: readonly { readonly row: number; readonly reason: UnusableReason }[];
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
  /** Folder that the set which was there before now has; null where there was none. */
  readonly former: string | null;
  readonly notes: readonly string[];
}

/** With a larger share of rows faster than physics it is not the rows that are wrong, but the GPU. */
const MOST_IMPOSSIBLE_FRACTION = 0.5;

/**
 * Makes a measured folder a table set for `--bench-data`: checks all of it, leaves out rows that cannot be believed, and
 * puts the rest in the place of what the set had of the same GPUs. Nothing is written before everything is sound; the set
 * that was there before keeps a folder of its own.
 *
 * @param gpus GPUs that may have been measured: built-in ones, and the user's own
 * @param only the one GPU to import; null = all of the folder
 * @throws DataFileError saying what must be mended
 */
export function importCollected(
  source: string,
  out: string,
  gpus: GpuCatalog,
  only: GpuSpec | null = null,
): CollectedImport {
  const wanted = (gpuFolder: string) => only === null || gpuOfFolder(gpuFolder) === only.id.toLowerCase();
  const checks = checkBenchData(source, gpus).tables.filter(({ gpuFolder }) => wanted(gpuFolder));
  requireSound(source, checks, only);
  const specs = gpus.filter(({ id }) => checks.some(({ gpuId }) => gpuId === id));
  const notes = specs.flatMap((gpu) => deviceNotes(source, gpu, gpus));
  const imported = new Map<string, ImportedTable>();
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
  const { former } = replaceTableSet(out, ids, files, (staged) =>
    requireSound(staged, checkBenchData(staged, gpus).tables, null),
  );
  const schema = "roofserve.bench-data-import/1";
  return { schema, source, out, gpus: ids, tables: [...imported.values()], sha256: sha256(out), former, notes };
}

/** Findings that do not stop an import: what is merely left out, and what a reader of tables copes with. */
function isFatal({ severity, kind }: CheckFinding): boolean {
  return kind === "unknown-gpu" || (severity === "error" && kind !== "faster-than-physics");
}

/** @throws DataFileError naming the first problem of any table, and how many there are */
function requireSound(dir: string, checks: readonly TableCheck[], only: GpuSpec | null): void {
  if (checks.length === 0) {
    const whose = only === null ? "" : ` of ${only.id}`;
    throw new DataFileError({ file: dir }, `has no kernel tables${whose}; expected gemm/<gpu>/data.csv and the like`);
  }
  const problems = checks.flatMap(({ path, findings }) =>
    findings.filter(isFatal).map(({ kind, message }) => ({ path, kind, message })),
  );
  const [first] = problems;
  if (first === undefined) return;
  const more = problems.length === 1 ? "" : ` (and ${problems.length - 1} more problems)`;
  const remedy =
    first.kind === "unknown-gpu"
      ? "give its spec with --gpu FILE"
      : `nothing was imported; roofserve bench-data check ${dir} lists everything`;
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
  return { path: table.path, numRows: rows.length - leftOut.length, leftOut };
}

/** @throws DataFileError when the folder says that another GPU was measured, or none */
function deviceNotes(source: string, gpu: GpuSpec, gpus: GpuCatalog): string[] {
  const sidecar: CollectedSidecar | null = readCollectedSidecar(source, folderOfGpu(gpu.id));
  if (sidecar === null) return [`no collected.json: which device measured the tables of ${gpu.id} was not checked`];
  if (sidecar.deviceName === SELF_TEST_DEVICE) {
    const problem = "was written by the self-test of bench_data/collect, which measures nothing";
    throw new DataFileError({ file: join(source, sidecar.path) }, `${problem}; give the folder of a GPU`);
  }
  const found = findGpu(sidecar.deviceName, gpus);
  if (found === null) return [`${sidecar.deviceName} is no GPU known here: taken for ${gpu.id}, as the folders say`];
  if (found.id === gpu.id) return [];
  const problem = `measured on ${sidecar.deviceName}, which is ${found.id}, but the tables are called ${gpu.id}`;
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
