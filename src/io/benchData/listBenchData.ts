import { parseTable } from "./parseTable.js";
import { type BenchFamily, FAMILY_COLUMNS } from "./tableFamily.js";
import { findTableFiles, gpuOfFolder } from "./tableFiles.js";

/** What a folder has for one GPU and family. */
export interface BenchDataCoverage {
  /** Folder name of the GPU, as `gpuOfFolder` reads it: a GPU id in lower case where it is one. */
  readonly gpu: string;
  readonly family: BenchFamily;
  readonly numFiles: number;
  readonly numRows: number;
  /**
   * Distinct kernels: file names without `.csv` where they name shapes (attention); `k-n` of products; experts, GPUs, local
   * experts, top k, hidden and expert size; GPUs of a collective.
   */
  readonly shapes: readonly string[];
  /** Element types of the rows that state one; of attention, the KV cache's. Sorted. */
  readonly dtypes: readonly string[];
  /** `modelled`, `measured`, or what the tables' source column says, sorted. */
  readonly sources: readonly string[];
}

interface CoverageCount {
  numFiles: number;
  numRows: number;
  readonly shapes: Set<string>;
  readonly dtypes: Set<string>;
  readonly sources: Set<string>;
}

/**
 * Lists what a folder of the bench_data layout covers, sorted by GPU, then family.
 * Unsound rows are not counted; `checkBenchData` says what is wrong with them.
 *
 * @throws DataFileError when the folder or a table cannot be read at all
 */
export function listBenchData(dir: string): BenchDataCoverage[] {
  const groups = new Map<string, CoverageCount>();
  for (const { file, family, gpuFolder, name } of findTableFiles(dir).tables) {
    const key = `${gpuOfFolder(gpuFolder)} ${family}`;
    const group = groups.get(key) ?? {
      numFiles: 0,
      numRows: 0,
      shapes: new Set(),
      dtypes: new Set(),
      sources: new Set(),
    };
    groups.set(key, group);
    const { rows } = parseTable(file, FAMILY_COLUMNS[family]);
    group.numFiles += 1;
    group.numRows += rows.length;
    const { keys, sweep, columns } = FAMILY_COLUMNS[family];
    const shapeKeys = keys.filter((key) => key !== sweep && columns.some((c) => c.name === key && c.kind === "count"));
    for (const { numbers, texts } of rows) {
      group.sources.add(texts.source ?? "measured");
      group.shapes.add(name === "data" ? shapeKeys.map((key) => numbers[key]).join("-") : name);
      const dtype = texts.kv_dtype ?? texts.dtype;
      if (dtype !== undefined) group.dtypes.add(dtype);
    }
  }
  return [...groups.keys()].sort().map((key) => {
    const [gpu, family] = key.split(" ") as [string, BenchFamily];
    const { numFiles, numRows, shapes, dtypes, sources } = groups.get(key)!;
    const sets = { shapes: [...shapes].sort(), dtypes: [...dtypes].sort(), sources: [...sources].sort() };
    return { gpu, family, numFiles, numRows, ...sets };
  });
}
