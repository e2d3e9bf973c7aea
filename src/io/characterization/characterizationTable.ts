import { existsSync, readdirSync, statSync } from "node:fs";
import { join } from "node:path";
import { DataFileError } from "../../core/errors/simulationError.js";
import { findGpu, type GpuCatalog } from "../../core/hardware/gpuCatalog.js";
import { ACCESS_PATTERNS, type AccessPattern } from "../../core/kernels/characterization/characterization.js";
import type { BandwidthRow, CharacterizationRows } from "../../core/kernels/characterization/fitCharacterization.js";
import {
  KERNEL_ORDERS,
  type KernelOrder,
  type LaunchGapRow,
} from "../../core/kernels/characterization/fitLaunchGap.js";
import { type ParsedRow, parseTable, type TableIssue } from "../benchData/parseTable.js";
import type { FamilyColumns } from "../benchData/tableFamily.js";
import { CHARACTERIZATION_FOLDER, gpuOfFolder } from "../benchData/tableFiles.js";

/** What a table of micro-benchmarks holds. */
export interface CharacterizationTable {
  readonly file: string;
  readonly rows: CharacterizationRows;
  /** What its source column says, each once. */
  readonly source: string;
}

const SUITES = ["bandwidth", "launch_gap"] as const;

/** Columns as `bench_data/README.md` defines them. */
const COLUMNS: FamilyColumns = {
  columns: [
    { name: "suite", kind: "text", isRequired: true },
    { name: "pattern", kind: "text", isRequired: true },
    { name: "bytes", kind: "count", isRequired: false },
    { name: "block_bytes", kind: "count", isRequired: false },
    { name: "working_set_bytes", kind: "count", isRequired: false },
    { name: "kernels", kind: "count", isRequired: false },
    { name: "latency_us", kind: "amount", isRequired: true },
    { name: "device", kind: "text", isRequired: false },
    { name: "source", kind: "text", isRequired: false },
  ],
  keys: [],
  sweep: "bytes",
  latencies: [["latency_us"]],
};

/**
 * Reads the micro-benchmarks of a GPU: a CSV file, or a folder with `data.csv` in it or in `characterization/<gpu>/`.
 * @param gpus GPUs that a device column may name
 * @throws DataFileError naming the first bad cell and how many more there are
 */
export function readCharacterizationTable(path: string, gpuId: string, gpus: GpuCatalog): CharacterizationTable {
  const file = tableFile(path, gpuId);
  const { rows, issues } = parseTable(file, COLUMNS);
  const problems: TableIssue[] = [...issues, ...rows.flatMap((row) => deviceProblems(row, gpuId, gpus))];
  const bandwidth: BandwidthRow[] = [];
  const launchGap: LaunchGapRow[] = [];
  for (const row of rows) {
    const read = readRow(row);
    if ("problem" in read) problems.push(read);
    else if ("pattern" in read) bandwidth.push(read);
    else launchGap.push(read);
  }
  const [first] = problems.sort((a, b) => a.row - b.row);
  if (first !== undefined) {
    const more = problems.length === 1 ? "" : `; and ${problems.length - 1} more`;
    const location = { file, row: first.row, ...(first.column === null ? {} : { column: first.column }) };
    throw new DataFileError(location, `${first.problem}${more}`);
  }
  const sources = [...new Set(rows.map(({ texts }) => texts.source ?? ""))].filter((source) => source !== "");
  return { file, rows: { bandwidth, launchGap }, source: sources.join("; ") };
}

/** A row of another GPU than the one asked for; a device that is no GPU known here passes. */
function deviceProblems({ row, texts: { device = "" } }: ParsedRow, gpuId: string, gpus: GpuCatalog): TableIssue[] {
  const found = device === "" ? null : findGpu(device, gpus);
  if (found === null || found.id === gpuId) return [];
  return [issue({ row }, "device", `got ${device}; must be of ${gpuId}: give --gpu ${found.id}, or its own file`)];
}

function readRow(row: ParsedRow): BandwidthRow | LaunchGapRow | TableIssue {
  const { suite = "" } = row.texts;
  if (suite === "bandwidth") return readBandwidth(row);
  if (suite === "launch_gap") return readLaunchGap(row);
  return issue(row, "suite", `got ${suite}; must be ${SUITES.join(" or ")}`);
}

function readBandwidth({ row, numbers, texts }: ParsedRow): BandwidthRow | TableIssue {
  const pattern = ACCESS_PATTERNS.find((known) => known === texts.pattern);
  if (pattern === undefined) return issue({ row }, "pattern", notOneOf(texts.pattern, ACCESS_PATTERNS, "bandwidth"));
  const { bytes, latency_us: latencyUs } = numbers;
  if (bytes === undefined) return issue({ row }, "bytes", "is empty; a bandwidth row needs the bytes that a run read");
  const blockBytes = numbers.block_bytes ?? null;
  const blockProblem = blockBytesProblem(pattern, blockBytes, bytes);
  if (blockProblem !== null) return issue({ row }, "block_bytes", blockProblem);
  const workingSetBytes = numbers.working_set_bytes ?? bytes;
  if (workingSetBytes < bytes) {
    const problem = `got ${workingSetBytes}; must be at least bytes: what all runs together read, each byte counted once`;
    return issue({ row }, "working_set_bytes", problem);
  }
  return { row, pattern, bytes, blockBytes, workingSetBytes, latencyUs: latencyUs! };
}

function blockBytesProblem(pattern: AccessPattern, blockBytes: number | null, bytes: number): string | null {
  if (pattern === "sequential") {
    return blockBytes === null ? null : `got ${blockBytes}; must be empty: sequential reads have no blocks`;
  }
  if (blockBytes === null) return `is empty; a ${pattern} row needs the contiguous bytes of its random blocks`;
  return blockBytes <= bytes ? null : `got ${blockBytes}; must not exceed bytes`;
}

function readLaunchGap({ row, numbers, texts }: ParsedRow): LaunchGapRow | TableIssue {
  const order: KernelOrder | undefined = KERNEL_ORDERS.find((known) => known === texts.pattern);
  if (order === undefined) return issue({ row }, "pattern", notOneOf(texts.pattern, KERNEL_ORDERS, "launch_gap"));
  const { kernels, latency_us: latencyUs } = numbers;
  if (kernels === undefined)
    return issue({ row }, "kernels", "is empty; a launch_gap row needs how many the graph has");
  return { row, order, numKernels: kernels, latencyUs: latencyUs! };
}

function notOneOf(received: string | undefined, allowed: readonly string[], suite: string): string {
  return `got ${received}; must be one of ${allowed.join(", ")} in suite ${suite}`;
}

function issue({ row }: Pick<ParsedRow, "row">, column: string, problem: string): TableIssue {
  return { row, column, problem };
}

/** The table itself, where a folder was given. */
function tableFile(path: string, gpuId: string): string {
  if (!existsSync(path)) {
    throw new DataFileError({ file: path }, "no such file or folder; give the CSV of the micro-benchmarks");
  }
  if (!statSync(path).isDirectory()) return path;
  const inside = [path, ...subfolders(path, gpuId), ...subfolders(join(path, CHARACTERIZATION_FOLDER), gpuId)];
  const found = inside.map((folder) => join(folder, "data.csv")).find((file) => existsSync(file));
  if (found !== undefined) return found;
  const wanted = `data.csv, or ${CHARACTERIZATION_FOLDER}/${gpuId.toLowerCase()}/data.csv`;
  throw new DataFileError({ file: path }, `the folder must hold ${wanted}`);
}

/** Folders that are named after the GPU. */
function subfolders(folder: string, gpuId: string): string[] {
  if (!existsSync(folder)) return [];
  return readdirSync(folder)
    .filter((name) => gpuOfFolder(name) === gpuId.toLowerCase())
    .sort()
    .map((name) => join(folder, name));
}
