import { DataFileError } from "../../core/errors/simulationError.js";
import type { GpuSpec } from "../../core/hardware/gpuSpec.js";
import type {
  AllReduceRow,
  DecodeAttentionRow,
  GemmRow,
  GroupedGemmRow,
  KernelTableSet,
  PrefillAttentionRow,
} from "../../core/kernels/tables/kernelTable.js";
import { type ParsedRow, type ParsedTable, parseTable } from "./parseTable.js";
import { latencyUs } from "./rowOrder.js";
import { FAMILY_COLUMNS } from "./tableFamily.js";
import { findTableFiles, gpuOfFolder, type TableFile } from "./tableFiles.js";
import { allReduceRows, decodeRows, gemmRows, groupedGemmRows, prefillRows } from "./tableRows.js";

/** Tables of one GPU, with the files they came from. */
export interface BenchData {
  readonly tables: KernelTableSet;
  /** Relative to the folder, sorted; empty where the folder has nothing for this GPU. */
  readonly files: readonly string[];
  /** GPU folders of other GPUs that the layout holds. */
  readonly otherGpuFolders: readonly string[];
}

/**
 * Reads all tables of `gpu` in a folder of the bench_data layout that price operators (GEMM, grouped GEMM,
 * attention, all-reduce); MLA, GDN and DSA tables are only listed and checked. An `mfu` column is never read:
 * latency says it all.
 *
 * @param select which rows of a table to take; all by default
 * @throws DataFileError at the first malformed row
 */
export function readBenchData(
  dir: string,
  gpu: GpuSpec,
  select: (table: TableFile, rows: readonly ParsedRow[]) => readonly ParsedRow[] = (_table, rows) => rows,
): BenchData {
  const { tables } = findTableFiles(dir);
  const own = tables.filter(({ gpuFolder }) => gpuOfFolder(gpuFolder) === gpu.id.toLowerCase());
  const others = tables.filter((table) => !own.includes(table)).map(({ gpuFolder }) => gpuFolder);
  const gemm: GemmRow[] = [];
  const groupedGemm: GroupedGemmRow[] = [];
  const prefillAttention: PrefillAttentionRow[] = [];
  const decodeAttention: DecodeAttentionRow[] = [];
  const allReduce: AllReduceRow[] = [];
  const files: string[] = [];
  for (const table of own) {
    if (!/^(gemm|grouped_gemm|mha|all_reduce)(\/|$)/.test(table.family)) continue;
    files.push(table.path);
    const rows = select(table, readSoundTable(table).rows);
    switch (table.family) {
      case "gemm":
        append(gemm, gemmRows(rows, gpu));
        break;
      case "grouped_gemm/prefill":
      case "grouped_gemm/decode":
        append(groupedGemm, groupedGemmRows(table.family, rows, gpu));
        break;
      case "mha/prefill":
        append(prefillAttention, prefillRows(table, rows));
        break;
      case "mha/decode":
        append(decodeAttention, decodeRows(table, rows));
        break;
      default:
        append(allReduce, allReduceRows(rows));
    }
  }
  const set = { gemm, groupedGemm, prefillAttention, decodeAttention, allReduce };
  return { tables: set, files, otherGpuFolders: [...new Set(others)].sort() };
}

/**
 * Parses a table in which every row must be sound.
 * @throws DataFileError at the first problem
 */
export function readSoundTable({ file, family }: TableFile): ParsedTable {
  const table = parseTable(file, FAMILY_COLUMNS[family]);
  const [issue] = table.issues;
  if (issue !== undefined) {
    const location = issue.column === null ? { file, row: issue.row } : { file, row: issue.row, column: issue.column };
    const others = table.issues.length > 1 ? ` (and ${table.issues.length - 1} more problems in this file)` : "";
    throw new DataFileError(location, `${issue.problem}${others}`);
  }
  const columns = FAMILY_COLUMNS[family];
  const untimed = table.rows.find((row) => Number.isNaN(latencyUs(row, columns)));
  if (untimed !== undefined) {
    const column = columns.latencies[0]!.join(", ");
    throw new DataFileError({ file, row: untimed.row, column }, "the row has no latency; fill it or remove the row");
  }
  if (table.rows.length === 0) throw new DataFileError({ file }, "the table has a header but no rows");
  return table;
}

/** `push(...rows)` would put every row on the call stack. */
function append<Row>(target: Row[], rows: readonly Row[]): void {
  for (const row of rows) target.push(row);
}
