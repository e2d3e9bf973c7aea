import type { KernelFitReport } from "../../src/core/kernels/gpuEfficiency.js";
import { isHeldOut, type MeasuredRow, mapePercent } from "./fitRows.js";

/** Everything needed to fit one family and to say how well that went. */
export interface FamilyFit<Fit> {
  readonly family: string;
  readonly dtype: string;
  readonly table: string;
  readonly rows: readonly MeasuredRow[];
  readonly numTableRows: number;
  /** Whether the benchmark ran the row from L2, so that it cannot be predicted from HBM. */
  readonly isResident: (row: MeasuredRow) => boolean;
  readonly fit: (rows: readonly MeasuredRow[]) => Fit;
  readonly predictor: (fit: Fit) => (row: MeasuredRow) => number;
  readonly bucketOf: (row: MeasuredRow) => string;
}

/** Fits on all rows, and once more on half of the shapes to measure the other half. Appends the report. */
export function reportFit<Fit>(family: FamilyFit<Fit>, reports: KernelFitReport[]): Fit {
  const { rows, isResident, bucketOf } = family;
  const fitted = family.fit(rows);
  const predictUs = family.predictor(fitted);
  const streamed = rows.filter((row) => !isResident(row));
  const predictUnseenUs = family.predictor(family.fit(rows.filter((row) => !isHeldOut(row.shapeKey))));
  const buckets = new Map<string, MeasuredRow[]>();
  for (const row of streamed) buckets.set(bucketOf(row), [...(buckets.get(bucketOf(row)) ?? []), row]);
  reports.push({
    family: family.family,
    dtype: family.dtype,
    table: family.table,
    numRows: streamed.length,
    numExcludedRows: family.numTableRows - streamed.length,
    mapePercent: rounded(mapePercent(streamed, predictUs)),
    mapeAllRowsPercent: rounded(mapePercent(rows, predictUs)),
    heldOutMapePercent: rounded(
      mapePercent(
        streamed.filter((row) => isHeldOut(row.shapeKey)),
        predictUnseenUs,
      ),
    ),
    buckets: [...buckets]
      .map(([bucket, some]) => ({ bucket, numRows: some.length, mapePercent: rounded(mapePercent(some, predictUs)) }))
      .toSorted((a, b) => a.bucket.localeCompare(b.bucket, "en", { numeric: true })),
  });
  return fitted;
}

function rounded(percent: number): number {
  return Number(percent.toFixed(2));
}
