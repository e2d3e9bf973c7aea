import type { KernelFitReport } from "../gpuEfficiency.js";
import { isHeldOut, type MeasuredRow, mapePercent } from "./measuredRow.js";
import {
  type FittedFamily,
  type LatentFamily,
  type ModelsByShape,
  rounded,
  SHAPE_NAMES,
  type ShapeErrors,
  shapeErrors,
} from "./shapeErrors.js";

/** Everything needed to fit one family of kernels of one element type, and to say how well that went. */
export interface FamilyFit<Fit> {
  readonly family: FittedFamily | LatentFamily;
  readonly dtype: string;
  readonly table: string;
  readonly rows: readonly MeasuredRow[];
  readonly numTableRows: number;
  /** What prices these kernels without the fit; stays where the rows do not suffice. */
  readonly former: Fit;
  /** Whether the benchmark ran the row from L2, so that it cannot be predicted from HBM. */
  readonly isResident: (row: MeasuredRow) => boolean;
  readonly fit: (rows: readonly MeasuredRow[]) => Fit;
  readonly predictor: (fit: Fit) => Predictor;
  readonly sizes: SizeClasses;
  /** Whether a model could ask for the row; tables also hold tiny and huge products. Default: all rows. */
  readonly isModelShape?: (row: MeasuredRow) => boolean;
  /** Shapes that built-in models have. */
  readonly models: ModelsByShape;
  /** Whether a fit that is no better than the former parameters gives way to them. */
  readonly keepsBetter: boolean;
}

/** µs of a row. */
type Predictor = (row: MeasuredRow) => number;

/** What of a row says how large it is, and where its classes end: up to each bound, or above the last. */
export interface SizeClasses {
  readonly counts: string;
  readonly of: (row: MeasuredRow) => number;
  readonly bounds: readonly number[];
}

/** Mean |predicted / measured − 1| of some rows, percent, with the former parameters and with the fitted ones. */
export interface SizeErrors {
  /** What is counted, and up to how much of it; null = all rows. */
  readonly sizeClass: string | null;
  readonly numRows: number;
  readonly mapePercentBefore: number;
  readonly mapePercentAfter: number;
  /** Of the rows held out, priced by a second fit that has not seen them; null without any. */
  readonly heldOutMapePercentBefore: number | null;
  readonly heldOutMapePercentAfter: number | null;
}

/** What became of one family and element type. */
export interface FamilyOutcome {
  readonly family: string;
  readonly dtype: string;
  readonly table: string;
  readonly verdict: FamilyVerdict;
  /** Why the former parameters stay; null where the family was fitted. */
  readonly keptBecause: string | null;
  /** All rows first, then by size; of a family with too few rows, after = before. */
  readonly errors: readonly SizeErrors[];
  /** The shapes that the fit tells worst. */
  readonly worstShapes: readonly ShapeErrors[];
  /** The shapes of built-in models, as far as they were measured; the worst first. */
  readonly modelShapes: readonly ShapeErrors[];
}

/** What was done with a family; a fit that is no better than what was in force is shown and not taken. */
export type FamilyVerdict = "fitted" | "too few rows" | "not better";

export interface FamilyResult<Fit> {
  readonly fit: Fit;
  /** null where the former parameters stay. */
  readonly report: KernelFitReport | null;
  readonly outcome: FamilyOutcome;
}

/** Twelve parameters, the most that a family has besides its surface, with five rows for each. */
export const LEAST_ROWS = 60;
/** A size class with fewer rows than this counts as not measured. */
export const LEAST_ROWS_PER_CLASS = 4;
/** With less than this share on either side, halves of shapes say nothing of each other. */
const LEAST_HELD_OUT_FRACTION = 0.2;
/** Errors of a single shape up to this are no reason against a fit that is better on the whole, percent. */
const HARMLESS_PERCENT = 15;
/** Shapes that a reader is shown. */
const NUM_WORST_SHAPES = 3;

/**
 * Fits on all rows, and once more on half of the shapes to measure the other half; of rows of one or two shapes, on half
 * of the rows. Errors are those of rows that streamed from memory. A family keeps its former parameters where its rows do
 * not reach every size class, since a surface is a guess where it has no rows, and where the fit is no better
 * (`noImprovement`).
 */
export function fitFamily<Fit>(family: FamilyFit<Fit>): FamilyResult<Fit> {
  const { rows, former, predictor, models } = family;
  const streamed = rows.filter((row) => !family.isResident(row));
  const { family: name, dtype, table } = family;
  const tooFew = shortcoming(streamed, family.sizes);
  const before = predictor(former);
  const shapesOf = (after: Predictor) => {
    const shapes = shapeErrors(streamed, SHAPE_NAMES[name], models, before, after);
    return {
      worstShapes: shapes.slice(0, NUM_WORST_SHAPES),
      modelShapes: shapes.filter((shape) => shape.models.length > 0),
    };
  };
  if (tooFew !== null) {
    const errors = errorsBySize(family.sizes, streamed, [], before, before, before);
    const outcome = { family: name, dtype, table, verdict: "too few rows", keptBecause: tooFew, errors } as const;
    return { fit: former, report: null, outcome: { ...outcome, ...shapesOf(before) } };
  }
  const fit = family.fit(rows);
  const after = predictor(fit);
  const isUnseen = heldOutRule(streamed);
  const afterUnseen = predictor(family.fit(rows.filter((row) => !isUnseen(row))));
  const unseen = streamed.filter(isUnseen);
  const errors = errorsBySize(family.sizes, streamed, unseen, before, after, afterUnseen);
  const shapes = shapesOf(after);
  const keptBecause = family.keepsBetter ? noImprovement(errors[0]!, shapes.modelShapes) : null;
  const verdict = keptBecause === null ? "fitted" : "not better";
  const outcome = { family: name, dtype, table, verdict, keptBecause, errors, ...shapes } as const;
  if (keptBecause !== null) return { fit: former, report: null, outcome };
  return { fit, report: fitReport(family, streamed, after, afterUnseen, unseen, errors), outcome };
}

/**
 * Why a fit is no better than the former parameters, in words; null if it is. A fit is for shapes that no table has, so
 * what decides is the mean |error| on the half of the shapes that the second fit has not seen, both judged on the same
 * rows; where the former parameters were fitted to these very rows that favours them, and they may as well stay. Nor is a fit
 * better that tells the shapes of built-in models worse, on the whole or one of them, although it has seen them: then the rows are of two kinds, and the
 * fit is drawn to the other one.
 */
function noImprovement(all: SizeErrors, modelShapes: readonly ShapeErrors[]): string | null {
  const { heldOutMapePercentBefore, heldOutMapePercentAfter } = all;
  if (heldOutMapePercentBefore! <= heldOutMapePercentAfter!) {
    const change = `${heldOutMapePercentBefore} → ${heldOutMapePercentAfter} %`;
    return `on shapes that a fit has not seen its error is no smaller: ${change}`;
  }
  const meanOf = (errorOf: (shape: ShapeErrors) => number) =>
    rounded(modelShapes.reduce((sum, shape) => sum + errorOf(shape), 0) / modelShapes.length);
  const before = meanOf(({ mapePercentBefore }) => mapePercentBefore);
  const after = meanOf(({ mapePercentAfter }) => mapePercentAfter);
  if (after > before) {
    return `on the shapes of built-in models a fit's error is larger: ${before} → ${after} %, mean of ${modelShapes.length} shapes`;
  }
  const worstOf = (errorOf: (shape: ShapeErrors) => number) => modelShapes.reduce((w, s) => Math.max(w, errorOf(s)), 0);
  const worstBefore = worstOf(({ mapePercentBefore }) => mapePercentBefore);
  const worstAfter = worstOf(({ mapePercentAfter }) => mapePercentAfter);
  if (worstAfter <= Math.max(worstBefore, HARMLESS_PERCENT)) return null;
  return `a fit tells a shape of a built-in model worse than any was: ${worstBefore} → ${worstAfter} %`;
}

/** Why rows do not suffice for a fit, in words; null if they do. */
function shortcoming(rows: readonly MeasuredRow[], sizes: SizeClasses): string | null {
  if (rows.length < LEAST_ROWS) return `${rows.length} usable rows; a fit needs ${LEAST_ROWS}`;
  const missing = classesOf(sizes)
    .filter(({ contains }) => rows.filter(contains).length < LEAST_ROWS_PER_CLASS)
    .map(({ sizeClass }) => sizeClass);
  if (missing.length === 0) return null;
  return `fewer than ${LEAST_ROWS_PER_CLASS} rows of ${missing.join(", ")}`;
}

interface SizeClass {
  readonly sizeClass: string;
  readonly upTo: number | null;
  readonly contains: (row: MeasuredRow) => boolean;
}

/** Ascending. */
function classesOf({ counts, of, bounds }: SizeClasses): SizeClass[] {
  const last = bounds[bounds.length - 1]!;
  return [...bounds, null].map((upTo, i) => {
    const above = bounds[i - 1] ?? 0;
    return {
      sizeClass: upTo === null ? `${counts} > ${last}` : `${counts} ≤ ${upTo}`,
      upTo,
      contains: (row) => of(row) > above && (upTo === null || of(row) <= upTo),
    };
  });
}

/** Which rows a second fit does not see: half of the shapes, or half of the rows where there are too few shapes. */
function heldOutRule(rows: readonly MeasuredRow[]): (row: MeasuredRow) => boolean {
  const byShape = (row: MeasuredRow) => isHeldOut(row.shapeKey);
  const heldOutFraction = rows.filter(byShape).length / rows.length;
  const isBalanced = Math.min(heldOutFraction, 1 - heldOutFraction) >= LEAST_HELD_OUT_FRACTION;
  return isBalanced ? byShape : (row) => isHeldOut(`${row.shapeKey} ${row.dims.join(",")}`);
}

function errorsBySize(
  sizes: SizeClasses,
  rows: readonly MeasuredRow[],
  unseen: readonly MeasuredRow[],
  before: Predictor,
  after: Predictor,
  afterUnseen: Predictor,
): SizeErrors[] {
  const errorsOf = (sizeClass: string | null, contains: (row: MeasuredRow) => boolean): SizeErrors => {
    const some = rows.filter(contains);
    const someUnseen = unseen.filter(contains);
    const hasUnseen = someUnseen.length > 0;
    return {
      sizeClass,
      numRows: some.length,
      mapePercentBefore: rounded(mapePercent(some, before)),
      mapePercentAfter: rounded(mapePercent(some, after)),
      heldOutMapePercentBefore: hasUnseen ? rounded(mapePercent(someUnseen, before)) : null,
      heldOutMapePercentAfter: hasUnseen ? rounded(mapePercent(someUnseen, afterUnseen)) : null,
    };
  };
  const bySize = classesOf(sizes).map(({ sizeClass, contains }) => errorsOf(sizeClass, contains));
  return [errorsOf(null, () => true), ...bySize.filter(({ numRows }) => numRows > 0)];
}

/** The fit's own account, which is written beside its parameters. */
function fitReport<Fit>(
  { family, dtype, table, rows, numTableRows, sizes, isModelShape = () => true }: FamilyFit<Fit>,
  streamed: readonly MeasuredRow[],
  after: Predictor,
  afterUnseen: Predictor,
  unseen: readonly MeasuredRow[],
  errors: readonly SizeErrors[],
): KernelFitReport {
  const [all, ...bySize] = errors;
  const unseenShapes = unseen.filter(isModelShape);
  const classes = new Map(classesOf(sizes).map((one) => [one.sizeClass, one]));
  return {
    family,
    dtype,
    table,
    numRows: streamed.length,
    numExcludedRows: numTableRows - streamed.length,
    mapePercent: all!.mapePercentAfter,
    mapeAllRowsPercent: rounded(mapePercent(rows, after)),
    heldOutMapePercent: all!.heldOutMapePercentAfter ?? 0,
    buckets: bySize
      .map(({ sizeClass, numRows, mapePercentAfter }) => {
        const { upTo, contains } = classes.get(sizeClass!)!;
        const shapeMape = shapeMapePercent(unseenShapes.filter(contains), afterUnseen);
        return { bucket: sizeClass!, upTo, numRows, mapePercent: mapePercentAfter, shapeMapePercent: shapeMape };
      })
      .toSorted((a, b) => a.bucket.localeCompare(b.bucket, "en", { numeric: true })),
  };
}

/**
 * Mean over shapes of |mean ln(predicted / measured)|, percent: the part of an error that a model meets in every step.
 * What differs from row to row of a shape averages out over a run. null for no rows.
 */
function shapeMapePercent(rows: readonly MeasuredRow[], predictUs: Predictor): number | null {
  const shapes = new Map<string, number[]>();
  for (const row of rows) {
    const errors = shapes.get(row.shapeKey) ?? [];
    shapes.set(row.shapeKey, errors);
    errors.push(Math.log(predictUs(row) / row.us));
  }
  const mean = (values: readonly number[]) => values.reduce((sum, value) => sum + value, 0) / values.length;
  return shapes.size === 0 ? null : rounded(100 * mean([...shapes.values()].map((errors) => Math.abs(mean(errors)))));
}
