import { type MeasuredRow, mapePercent } from "./measuredRow.js";

/** Families that tables have, and that anybody's are fitted to. */
export type FittedFamily = "gemm" | "grouped-gemm" | "attention-decode" | "attention-prefill";
/** Latent attention, whose measurements are whole layers. */
export type LatentFamily = "mla-decode" | "mla-prefill";

const headsName = ([, , heads, kvHeads]: readonly number[]): string => `${heads} heads, ${kvHeads} KV heads`;

const latentHeadsName = ([, , heads]: readonly number[]): string => `${heads} heads`;

/** What a shape is called, by the dims of a row: of all that a model's steps have in common. */
export const SHAPE_NAMES: Readonly<Record<FittedFamily | LatentFamily, (dims: readonly number[]) => string>> = {
  gemm: ([, n, k]) => `k ${k} × n ${n}`,
  "grouped-gemm": ([, experts, , topK, hiddenSize, intermediateSize]) =>
    `${experts} experts, top ${topK}, hidden ${hiddenSize}, intermediate ${intermediateSize}`,
  "attention-decode": headsName,
  "attention-prefill": headsName,
  "mla-decode": latentHeadsName,
  "mla-prefill": latentHeadsName,
};

/** Models that have a shape, by its name. */
export type ModelsByShape = ReadonlyMap<string, readonly string[]>;

/** Mean |predicted / measured − 1| of one shape's rows, percent, with the former parameters and with the fitted ones. */
export interface ShapeErrors {
  readonly shape: string;
  /** Built-in models that have it. */
  readonly models: readonly string[];
  readonly numRows: number;
  readonly mapePercentBefore: number;
  /** Of the fit that has seen the shape; of a family without a fit the same as before. */
  readonly mapePercentAfter: number;
}

/** Errors of each shape, the worst after the fit first. */
export function shapeErrors(
  rows: readonly MeasuredRow[],
  nameOf: (dims: readonly number[]) => string,
  models: ModelsByShape,
  before: (row: MeasuredRow) => number,
  after: (row: MeasuredRow) => number,
): ShapeErrors[] {
  const byShape = new Map<string, MeasuredRow[]>();
  for (const row of rows) {
    const shape = nameOf(row.dims);
    const some = byShape.get(shape) ?? [];
    byShape.set(shape, some);
    some.push(row);
  }
  return [...byShape]
    .map(([shape, some]) => ({
      shape,
      models: models.get(shape) ?? [],
      numRows: some.length,
      mapePercentBefore: rounded(mapePercent(some, before)),
      mapePercentAfter: rounded(mapePercent(some, after)),
    }))
    .sort((a, b) => b.mapePercentAfter - a.mapePercentAfter || (a.shape < b.shape ? -1 : 1));
}

/** Percent, as reports state it. */
export function rounded(percent: number): number {
  return Number(percent.toFixed(2));
}
