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
  /** File names without `.csv` where they name shapes (attention); element types for GEMMs. */
  readonly shapes: readonly string[];
  /** `modelled`, `measured`, or what the tables' source column says, sorted. */
  readonly sources: readonly string[];
}

/**
 * Lists what a folder of the bench_data layout covers, sorted by GPU, then family.
 * Unsound rows are not counted; `checkBenchData` says what is wrong with them.
 *
 * @throws DataFileError when the folder or a table cannot be read at all
 */
export function listBenchData(dir: string): BenchDataCoverage[] {
  const groups = new Map<string, { numFiles: number; numRows: number; shapes: Set<string>; sources: Set<string> }>();
  for (const { file, family, gpuFolder, name } of findTableFiles(dir).tables) {
    const key = `${gpuOfFolder(gpuFolder)} ${family}`;
    const group = groups.get(key) ?? { numFiles: 0, numRows: 0, shapes: new Set(), sources: new Set() };
    groups.set(key, group);
    const { rows } = parseTable(file, FAMILY_COLUMNS[family]);
    group.numFiles += 1;
    group.numRows += rows.length;
    if (name !== "data") group.shapes.add(name);
    for (const { texts } of rows) {
      group.sources.add(texts.source ?? "measured");
      if (name === "data" && texts.dtype !== undefined) group.shapes.add(texts.dtype);
    }
  }
  return [...groups.keys()].sort().map((key) => {
    const [gpu, family] = key.split(" ") as [string, BenchFamily];
    const { numFiles, numRows, shapes, sources } = groups.get(key)!;
    return { gpu, family, numFiles, numRows, shapes: [...shapes].sort(), sources: [...sources].sort() };
  });
}
