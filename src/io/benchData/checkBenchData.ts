import { DataFileError } from "../../core/errors/simulationError.js";
import { findGpu } from "../../core/hardware/gpuCatalog.js";
import type { GpuSpec } from "../../core/hardware/gpuSpec.js";
import { groupRows } from "../../core/kernels/tables/tableReading.js";
import type { BenchDataCheck, CheckFinding, CheckKind, CheckSeverity, TableCheck } from "./benchDataCheck.js";
import { MFU_COLUMNS } from "./mfuConventions.js";
import { findMfuPeak, type MfuFinding } from "./mfuPeak.js";
import { mfuVerdicts } from "./mfuVerdict.js";
import { type ParsedTable, parseTable } from "./parseTable.js";
import { type KnownPeak, knownPeaks } from "./peaks.js";
import { type ImpossibleRow, impossibleRows } from "./rowFloor.js";
import { duplicateRows, fallingRows, latencyUs } from "./rowOrder.js";
import { type BenchFamily, FAMILY_COLUMNS, shapeOfName } from "./tableFamily.js";
import { findTableFiles, gpuOfFolder, type TableFile } from "./tableFiles.js";

/**
 * Validates anyone's tables without using them: missing, zero and malformed cells, duplicates, latencies that fall
 * as the shape grows, rows of another device, rows faster than physics, and which peak an MFU column was really divided by.
 *
 * @param gpus specs to compare with; a folder of an unknown GPU is checked as far as that goes
 * @throws DataFileError only when the folder itself cannot be read
 */
export function checkBenchData(dir: string, gpus: readonly GpuSpec[]): BenchDataCheck {
  const { tables, strayFiles } = findTableFiles(dir);
  const peaks = knownPeaks(gpus);
  const checks = tables.map((table) => checkTable(table, gpus, peaks));
  const severities = checks.flatMap(({ findings }) => findings.map(({ severity }) => severity));
  return { dir, tables: checks, strayFiles, severity: tables.length === 0 ? "error" : worst(severities) };
}

function worst(severities: readonly CheckSeverity[]): BenchDataCheck["severity"] {
  for (const severity of ["error", "warning", "note"] as const) if (severities.includes(severity)) return severity;
  return "none";
}

function checkTable(file: TableFile, gpus: readonly GpuSpec[], peaks: readonly KnownPeak[]): TableCheck {
  const { path, family, gpuFolder } = file;
  const gpu = gpus.find(({ id }) => id.toLowerCase() === gpuOfFolder(gpuFolder)) ?? null;
  const check = { path, family, gpuFolder, gpuId: gpu?.id ?? null };
  let table: ParsedTable;
  try {
    table = parseTable(file.file, FAMILY_COLUMNS[family]);
  } catch (error) {
    if (!(error instanceof DataFileError)) throw error;
    return { ...check, numRows: 0, mfu: [], findings: [unreadable(error)] };
  }
  const shape = shapeOfName(family, file.name);
  const findings = [...formFindings(table, file, gpu), ...orderFindings(table, family)];
  if (shape === null) return { ...check, numRows: table.rows.length, mfu: [], findings };
  if (gpu !== null) findings.push(...deviceFindings(table, gpu, gpus), ...physicsFindings(file, table, gpu));
  const options = { peaks, preferredGpuId: gpu?.id ?? null };
  const mfu: MfuFinding[] = [];
  // Kernels of different element types have different peaks: judged apart.
  for (const rows of groupRows(table.rows, ({ texts }) => texts.dtype ?? "").values()) {
    for (const column of MFU_COLUMNS[family]) {
      const finding = findMfuPeak(rows, shape, column, options);
      if (finding === null) continue;
      mfu.push(finding);
      findings.push(...mfuVerdicts(finding, rows, family, gpu));
    }
  }
  return { ...check, numRows: table.rows.length, mfu, findings };
}

function unreadable(error: DataFileError): CheckFinding {
  const { row } = error.location;
  return {
    severity: "error",
    kind: "unreadable",
    message: error.message.slice(error.location.file.length).replace(/^[:,] /, ""),
    rows: row === undefined ? [] : [row],
  };
}

function formFindings(table: ParsedTable, file: TableFile, gpu: GpuSpec | null): CheckFinding[] {
  const findings: CheckFinding[] = table.issues.map(({ row, column, problem }) => ({
    severity: "error",
    kind: "bad-cell",
    message: `row ${row}${column === null ? "" : `, column ${column}`}: ${problem}`,
    rows: [row],
  }));
  const say = (severity: CheckSeverity, kind: CheckKind, message: string, rows: readonly number[] = []) =>
    findings.push({ severity, kind, message, rows });
  if (!table.hasHeader) {
    say(
      "warning",
      "no-header",
      "no header line: read with the layout's columns; readers that skip a line lose row 1",
      [1],
    );
  }
  if (table.rows.length === 0 && table.issues.length === 0) say("error", "no-latency", "a header but no rows");
  if (gpu === null) say("warning", "unknown-gpu", `no GPU is called ${file.gpuFolder}: physics was not checked`);
  if (shapeOfName(file.family, file.name) === null) {
    say("error", "bad-name", "the file's name does not give the shape, e.g. <heads>-<kvheads>-<dim>[-tpN].csv");
  }
  const family = FAMILY_COLUMNS[file.family];
  const untimed = table.rows.filter((row) => Number.isNaN(latencyUs(row, family))).map(({ row }) => row);
  if (untimed.length > 0) say("error", "no-latency", `${untimed.length} rows without latency`, untimed);
  return findings;
}

/** Rows whose `device` column names another GPU: folders of two cards that were merged by hand. */
function deviceFindings(table: ParsedTable, gpu: GpuSpec, gpus: readonly GpuSpec[]): CheckFinding[] {
  const foreign = groupRows(table.rows, ({ cells }) => {
    const { device = "" } = cells;
    const found = device === "" ? null : findGpu(device, gpus);
    return found === null || found.id === gpu.id ? "" : `${device}, which is ${found.id}`;
  });
  foreign.delete("");
  return [...foreign].map(([device, rows]) => ({
    severity: "error",
    kind: "other-device",
    message: `row ${rows[0]!.row}, column device: got ${device}, but the folder is named after ${gpu.id} (${rows.length} rows)`,
    rows: rows.map(({ row }) => row),
  }));
}

function orderFindings(table: ParsedTable, familyName: BenchFamily): CheckFinding[] {
  const family = FAMILY_COLUMNS[familyName];
  const findings: CheckFinding[] = [];
  const duplicates = duplicateRows(table.rows, family);
  if (duplicates.length > 0) {
    const spread = Math.max(...duplicates.map((group) => group.spread));
    findings.push({
      severity: spread > 1.05 ? "warning" : "note",
      kind: "duplicate",
      message: `${duplicates.length} shapes occur more than once, latencies up to ${formatFactor(spread)} apart; their median is used`,
      rows: duplicates.flatMap(({ rows }) => rows),
    });
  }
  const falling = fallingRows(table.rows, family).sort((a, b) => b.factor - a.factor);
  const [first] = falling;
  if (first !== undefined) {
    findings.push({
      severity: first.factor > 1.25 ? "warning" : "note",
      kind: "falling",
      message:
        `${falling.length} rows are faster than a smaller ${family.sweep} of the same kernel, ` +
        `most in row ${first.row} (${formatFactor(first.factor)} faster than row ${first.smallerRow}); such rows are evened out`,
      rows: falling.map(({ row }) => row),
    });
  }
  return findings;
}

function physicsFindings(file: TableFile, table: ParsedTable, gpu: GpuSpec): CheckFinding[] {
  const impossible = impossibleRows(file, table.rows, gpu).sort((a, b) => b.factor - a.factor);
  const unquantized = impossible.filter((row) => row.isUnquantizedInput);
  const cached = impossible.filter((row) => row.fitsInCache && !row.isUnquantizedInput);
  const others = impossible.filter((row) => !row.fitsInCache && !row.isUnquantizedInput);
  const roof = { compute: "FLOPs at peak", memory: "bytes at peak bandwidth", network: "the message over one link" };
  return [
    ...physicsFinding("error", "faster-than-physics", others, ({ row, factor, boundBy }) => {
      return `are faster than ${gpu.id} allows, worst row ${row}: ${formatFactor(factor)} below ${roof[boundBy]}`;
    }),
    ...physicsFinding("warning", "cache-resident", cached, ({ factor }) => {
      const excess = `are faster than ${gpu.id}'s memory (up to ${formatFactor(factor)}) and fit in its L2`;
      return `${excess}: the benchmark reused its data`;
    }),
    ...physicsFinding("warning", "input-not-quantised", unquantized, ({ factor }) => {
      return `read fp8 input (up to ${formatFactor(factor)} below 16-bit activations): quantising it was not timed`;
    }),
  ];
}

/** One finding about rows that the floor rules out, worst first; none if there are no rows. */
function physicsFinding(
  severity: CheckSeverity,
  kind: CheckKind,
  rows: readonly ImpossibleRow[],
  describe: (worst: ImpossibleRow) => string,
): CheckFinding[] {
  const [first] = rows;
  if (first === undefined) return [];
  return [
    { severity, kind, message: `${rows.length} rows ${describe(first)}; not used`, rows: rows.map(({ row }) => row) },
  ];
}

function formatFactor(factor: number): string {
  return `${Number(factor.toPrecision(3))}×`;
}
