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
  readonly bucketOf: (row: MeasuredRow) => SizeBucket;
  /** Whether a model could ask for the row; tables also hold tiny and huge products. Default: all rows. */
  readonly isModelShape?: (row: MeasuredRow) => boolean;
}

/** Rows of about one size: up to `upTo`, or above every bound. */
export type SizeBucket = Pick<KernelFitReport["buckets"][number], "bucket" | "upTo">;

/** Fits on all rows, and once more on half of the shapes to measure the other half. Appends the report. */
export function reportFit<Fit>(family: FamilyFit<Fit>, reports: KernelFitReport[]): Fit {
  const { rows, isResident, bucketOf, isModelShape = () => true } = family;
  const fitted = family.fit(rows);
  const predictUs = family.predictor(fitted);
  const streamed = rows.filter((row) => !isResident(row));
  const predictUnseenUs = family.predictor(family.fit(rows.filter((row) => !isHeldOut(row.shapeKey))));
  const buckets = new Map<string, SizeBucket & { rows: MeasuredRow[] }>();
  for (const row of streamed) {
    const { bucket, upTo } = bucketOf(row);
    buckets.set(bucket, { bucket, upTo, rows: [...(buckets.get(bucket)?.rows ?? []), row] });
  }
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
    buckets: [...buckets.values()]
      .map(({ bucket, upTo, rows: some }) => {
        const unseen = some.filter((row) => isHeldOut(row.shapeKey) && isModelShape(row));
        return {
          bucket,
          upTo,
          numRows: some.length,
          mapePercent: rounded(mapePercent(some, predictUs)),
          shapeMapePercent: shapeMapePercent(unseen, predictUnseenUs),
        };
      })
      .toSorted((a, b) => a.bucket.localeCompare(b.bucket, "en", { numeric: true })),
  });
  return fitted;
}

/**
 * Mean over shapes of |mean ln(predicted / measured)|, percent: the part of an error that a model meets in every step.
 * What differs from row to row of a shape averages out over a run. null for no rows.
 */
function shapeMapePercent(rows: readonly MeasuredRow[], predictUs: (row: MeasuredRow) => number): number | null {
  const shapes = new Map<string, number[]>();
  for (const row of rows) {
    const errors = shapes.get(row.shapeKey) ?? [];
    shapes.set(row.shapeKey, errors);
    errors.push(Math.log(predictUs(row) / row.us));
  }
  const mean = (values: readonly number[]) => values.reduce((sum, value) => sum + value, 0) / values.length;
  return shapes.size === 0 ? null : rounded(100 * mean([...shapes.values()].map((errors) => Math.abs(mean(errors)))));
}

function rounded(percent: number): number {
  return Number(percent.toFixed(2));
}
