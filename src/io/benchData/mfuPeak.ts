import type { FlopConvention, MfuColumn } from "./mfuConventions.js";
import type { ParsedRow } from "./parseTable.js";
import { type KnownPeak, PEAK_TOLERANCE } from "./peaks.js";

/** What an MFU column was computed with, as far as its numbers tell. */
export interface MfuFinding {
  readonly column: string;
  /** Rows with a value and a latency. */
  readonly numRows: number;
  /** Rows whose value was rounded away to 0. */
  readonly numZero: number;
  /** Most decimals that any cell shows. */
  readonly decimals: number;
  readonly maxMfu: number;
  readonly peak: KnownPeak | null;
  readonly convention: string;
  /** Fraction of the rows that this peak and convention reproduce within printed rounding. */
  readonly agreement: number;
  /** Whether the numbers fit no other known peak; with few digits several may. */
  readonly isCertain: boolean;
  /** Median of FLOPs / latency / MFU. */
  readonly impliedFlopsPerS: number;
  /** Other peaks that fit equally well under the same convention. */
  readonly alternatives: readonly KnownPeak[];
  /** Rows that the peak does not reproduce, worst first; only where most rows agree. */
  readonly disagreeing: readonly { readonly row: number; readonly printed: number; readonly computed: number }[];
}

interface MfuRow {
  readonly row: number;
  readonly mfu: number;
  readonly flops: readonly number[];
  readonly latencyUs: number;
}

interface Candidate {
  readonly peak: KnownPeak;
  readonly convention: number;
  readonly agreement: number;
}

/** From this share of reproduced rows a peak counts as found. */
const AGREEMENT_FOUND = 0.9;
/** Routed experts: how far the median may lie from the peak, because the rows per expert are drawn at random. */
const ROUTING_TOLERANCE = 0.1;

/**
 * Searches the peak and the FLOP convention that reproduce an MFU column from its latencies.
 * The usual convention wins over a rarer one that fits as well ("half of the FLOPs at P" equals "all at 2P").
 *
 * @param preferredGpuId GPU whose peak is named where several GPUs share it or fit equally well
 * @returns null when the table has no such column or no usable row
 */
export function findMfuPeak(
  rows: readonly ParsedRow[],
  shape: readonly number[],
  mfuColumn: MfuColumn,
  options: { readonly peaks: readonly KnownPeak[]; readonly preferredGpuId: string | null },
): MfuFinding | null {
  const { column, latencyColumn, conventions } = mfuColumn;
  const usable = rows.filter(({ numbers }) => numbers[column] !== undefined && numbers[latencyColumn] !== undefined);
  if (usable.length === 0) return null;
  const decimals = Math.max(...usable.map(({ cells }) => decimalsOf(cells[column]!)));
  const mfuRows = usable.map((row) => toMfuRow(row, shape, mfuColumn)).filter(({ mfu }) => mfu > 0);
  const numRows = usable.length;
  const maxMfu = Math.max(0, ...mfuRows.map(({ mfu }) => mfu));
  const summary = { column, numRows, numZero: numRows - mfuRows.length, decimals, maxMfu };
  if (mfuRows.length === 0) return { ...summary, ...NOTHING_FOUND };
  if (mfuColumn.isApproximate) return { ...summary, ...nearestPeak(mfuRows, conventions, options) };

  const ulp = 10 ** -decimals;
  const isOwn = ({ owners }: KnownPeak) => owners.some(({ gpuId }) => gpuId === options.preferredGpuId);
  const candidates = conventions
    .flatMap((_, convention) =>
      options.peaks.map(
        (peak): Candidate => ({ peak, convention, agreement: agreementOf(mfuRows, convention, peak, ulp) }),
      ),
    )
    .sort(
      (a, b) =>
        b.agreement - a.agreement || a.convention - b.convention || Number(isOwn(b.peak)) - Number(isOwn(a.peak)),
    );
  const top = candidates[0]!;
  const impliedFlopsPerS = impliedPeak(mfuRows, top.convention);
  if (top.agreement < AGREEMENT_FOUND)
    return { ...summary, ...NOTHING_FOUND, impliedFlopsPerS, agreement: top.agreement };
  const alternatives = candidates
    .filter(
      ({ convention, agreement, peak }) =>
        peak !== top.peak && convention === top.convention && agreement >= top.agreement - 0.02,
    )
    .map(({ peak }) => peak);
  return {
    ...summary,
    peak: top.peak,
    convention: conventions[top.convention]!.name,
    agreement: top.agreement,
    isCertain: alternatives.length === 0,
    impliedFlopsPerS,
    alternatives,
    disagreeing: disagreeingRows(mfuRows, top, ulp),
  };
}

const NOTHING_FOUND = {
  peak: null,
  convention: "",
  agreement: 0,
  isCertain: false,
  impliedFlopsPerS: Number.NaN,
  alternatives: [],
  disagreeing: [],
};

function toMfuRow(
  { row, numbers }: ParsedRow,
  shape: readonly number[],
  { column, latencyColumn, conventions }: MfuColumn,
): MfuRow {
  const flops = conventions.map((convention) => convention.flops(numbers, shape));
  return { row, mfu: numbers[column]!, flops, latencyUs: numbers[latencyColumn]! };
}

function decimalsOf(cell: string): number {
  return /\.(\d+)$/.exec(cell)?.[1]?.length ?? 0;
}

function computedMfu({ flops, latencyUs }: MfuRow, convention: number, { flopsPerS }: KnownPeak): number {
  return flops[convention]! / (latencyUs * 1e-6 * flopsPerS);
}

/** Rounded to nearest, or cut off; datasheet peaks themselves are rounded too. */
function agrees(row: MfuRow, convention: number, peak: KnownPeak, ulp: number): boolean {
  const computed = computedMfu(row, convention, peak);
  const slack = computed * PEAK_TOLERANCE;
  return row.mfu > computed - ulp - slack && row.mfu <= computed + ulp / 2 + slack;
}

function agreementOf(rows: readonly MfuRow[], convention: number, peak: KnownPeak, ulp: number): number {
  return rows.filter((row) => agrees(row, convention, peak, ulp)).length / rows.length;
}

function impliedPeak(rows: readonly MfuRow[], convention: number): number {
  // The larger values have more digits; a table of tiny ones still has its largest.
  const byMfu = [...rows].sort((a, b) => b.mfu - a.mfu).slice(0, Math.max(1, Math.ceil(rows.length / 2)));
  const implied = byMfu.map(({ flops, latencyUs, mfu }) => flops[convention]! / (latencyUs * 1e-6 * mfu));
  return implied.sort((a, b) => a - b)[implied.length >> 1]!;
}

function nearestPeak(
  rows: readonly MfuRow[],
  conventions: readonly FlopConvention[],
  { peaks, preferredGpuId }: { readonly peaks: readonly KnownPeak[]; readonly preferredGpuId: string | null },
) {
  const impliedFlopsPerS = impliedPeak(rows, 0);
  const distance = ({ flopsPerS }: KnownPeak) => Math.abs(Math.log(flopsPerS / impliedFlopsPerS));
  const near = peaks.filter((peak) => distance(peak) < ROUTING_TOLERANCE).sort((a, b) => distance(a) - distance(b));
  const peak = near.find(({ owners }) => owners.some(({ gpuId }) => gpuId === preferredGpuId)) ?? near[0] ?? null;
  return {
    ...NOTHING_FOUND,
    peak,
    convention: `${conventions[0]!.name}, rows as balanced routing would send them`,
    impliedFlopsPerS,
    alternatives: near.filter((other) => other !== peak),
  };
}

function disagreeingRows(rows: readonly MfuRow[], { convention, peak }: Candidate, ulp: number) {
  return rows
    .filter((row) => !agrees(row, convention, peak, ulp))
    .map((row) => ({ row: row.row, printed: row.mfu, computed: computedMfu(row, convention, peak) }))
    .sort((a, b) => Math.abs(Math.log(b.printed / b.computed)) - Math.abs(Math.log(a.printed / a.computed)));
}
