import * as z from "zod";
import { findGpu } from "../../hardware/gpuCatalog.js";

/** What GPUs cost, each price with where it comes from: the form of configs/prices.json and of `--prices`. */
export const priceTableSchema = z.strictObject({
  prices: z
    .array(
      z.strictObject({
        gpu: z.string().min(1).describe("id, as roofserve gpus lists it"),
        usdPerGpuHour: z.number().gt(0).max(10_000).describe("US dollars for one GPU for one hour, its host included"),
        source: z.string().min(1).describe("who asks this price, and for what"),
        date: z.iso.date().describe("day on which it was read, YYYY-MM-DD"),
      }),
    )
    .min(1),
});

export type PriceTable = z.output<typeof priceTableSchema>;
export type GpuPrice = PriceTable["prices"][number];

/** The price of a GPU; null where the table has none. @param gpu its id, an alias or its product name */
export function priceOf(table: PriceTable, gpu: string): GpuPrice | null {
  const named = table.prices.map((price) => ({ price, id: price.gpu, name: price.gpu }));
  return findGpu(gpu, named)?.price ?? null;
}
