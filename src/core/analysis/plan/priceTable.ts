import * as z from "zod";
import { nearestName } from "../../config/nearestName.js";
import { findGpu, type NamedGpu } from "../../hardware/gpuCatalog.js";

/** What GPUs cost, each price with where it comes from: the form of configs/prices.json and of `--prices`. */
export const priceTableSchema = z.strictObject({
  prices: z
    .array(
      z.strictObject({
        gpu: z.string().min(1).describe("id, as roofserve gpus lists it"),
        vendor: z.string().min(1).optional().describe("who rents it out; shown where prices of several are compared"),
        usdPerGpuHour: z.number().gt(0).max(1000).describe("US dollars for one GPU for one hour, its host included"),
        source: z.string().min(1).describe("who asks this price, and for what"),
        date: z.iso.date().describe("day on which it was read, YYYY-MM-DD"),
      }),
    )
    .min(1),
});

export type PriceTable = z.output<typeof priceTableSchema>;
export type GpuPrice = PriceTable["prices"][number];

/** What is wrong with a row of a price table that has the right form. */
export interface PriceProblem {
  /** From 0. */
  readonly row: number;
  readonly text: string;
}

/**
 * Rows that a plan would not do what is expected with: a GPU that no catalog has, and a second price of one. A price of one's
 * own GPU file is known by its path.
 * @param isFile whether a path leads to a file
 */
export function priceProblems(
  { prices }: PriceTable,
  catalog: readonly NamedGpu[],
  isFile: (path: string) => boolean,
): PriceProblem[] {
  const rowOf = new Map<string, number>();
  return prices.flatMap(({ gpu }, row): PriceProblem[] => {
    const known = findGpu(gpu, catalog)?.id ?? (isFile(gpu) ? gpu : null);
    if (known === null) {
      const near = nearestName(
        gpu,
        catalog.flatMap(({ id, aliases = [] }) => [id, ...aliases]),
      );
      const says = near === null ? "roofserve gpus lists those there are" : `did you mean ${near}?`;
      return [{ row, text: `no GPU is called ${JSON.stringify(gpu)}; ${says}` }];
    }
    const before = rowOf.get(known);
    rowOf.set(known, row);
    if (before === undefined) return [];
    return [
      { row, text: `is a second price of ${known}, of which row ${before + 1} has one; keep the one to plan with` },
    ];
  });
}

/** The price of a GPU; null where the table has none. @param gpu its id, an alias or its product name */
export function priceOf(table: PriceTable, gpu: string): GpuPrice | null {
  const named = table.prices.map((price) => ({ price, id: price.gpu, name: price.gpu }));
  return findGpu(gpu, named)?.price ?? null;
}
