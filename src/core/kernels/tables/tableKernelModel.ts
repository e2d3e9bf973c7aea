import type { GpuSpec } from "../../hardware/gpuSpec.js";
import type { Operator } from "../../model/operator.js";
import { gpuRoofs } from "../gpuRoofs.js";
import { dataLookup } from "../kernelLookup.js";
import type { KernelModel, KernelPrice } from "../kernelModel.js";
import { IndexedTables } from "./indexedTables.js";
import { type KernelTableSet, TABLE_FAMILIES, type TableFamily } from "./kernelTable.js";
import { type PhysicalFloor, physicalFloor } from "./physicalFloor.js";
import type { RowCounts, TableReading } from "./tableReading.js";

/** What one family was asked for. */
interface PriceCounts {
  numPriced: number;
  numExtrapolated: number;
  farthestLn: number;
  numFellBack: number;
}

/** How far the tables carried: what to say once beside a result. */
export interface TableUsage extends Readonly<RowCounts> {
  readonly family: TableFamily;
  /** Prices read from rows. */
  readonly numPriced: number;
  /** Of those, prices beyond every row. */
  readonly numExtrapolated: number;
  /** Largest |ln| by which one of these lay beyond; 0 without. */
  readonly farthestLn: number;
  /** Prices the fallback model had to give. */
  readonly numFellBack: number;
}

/** A kernel model that reads tables first and keeps account of it. */
export interface TableKernelModel extends KernelModel {
  /** One entry per family that was asked for, in the order of `TABLE_FAMILIES`. */
  usage(): readonly TableUsage[];
}

/**
 * Prices operators from tables of the same GPU, everything else by the fallback model; shapes between and beyond the
 * rows by that model, scaled as it fits the rows nearby.
 * Rows faster than physics are left out; every price is at least the operator's own physical floor.
 *
 * @param tables rows measured (or modelled) on exactly this GPU
 * @param fallback prices families and shapes without rows
 */
export function createTableKernelModel(gpu: GpuSpec, tables: KernelTableSet, fallback: KernelModel): TableKernelModel {
  const roofs = gpuRoofs(gpu);
  const indexed = new IndexedTables(tables, { roofs, l2Bytes: gpu.memory.l2Bytes, model: fallback });
  const counts = new Map<TableFamily, PriceCounts>();

  return {
    price(operator) {
      const family = familyOf(operator);
      if (family === null || !hasWork(operator)) return fallback.price(operator);
      const floor = physicalFloor(operator, roofs);
      const reading = indexed.read(operator, floor.us);
      const count = counts.get(family) ?? { numPriced: 0, numExtrapolated: 0, farthestLn: 0, numFellBack: 0 };
      counts.set(family, count);
      if (reading === null) {
        count.numFellBack += 1;
        return fallback.price(operator);
      }
      count.numPriced += 1;
      if (reading.isExtrapolated) {
        count.numExtrapolated += 1;
        count.farthestLn = Math.max(count.farthestLn, indexed.lnDistance(operator) ?? 0);
      }
      return priceOf(reading, floor);
    },
    lookup(operator) {
      const isInTable = familyOf(operator) !== null && hasWork(operator);
      const lnDistance = isInTable ? indexed.lnDistance(operator) : null;
      return lnDistance === null ? fallback.lookup(operator) : dataLookup(lnDistance);
    },
    usage() {
      return TABLE_FAMILIES.flatMap((family) => {
        const count = counts.get(family);
        return count === undefined ? [] : [{ family, ...indexed[family].index.counts, ...count }];
      });
    },
  };
}

function priceOf({ us: readUs, launchUs, source }: TableReading, floor: PhysicalFloor): KernelPrice {
  const us = Math.max(readUs, floor.us);
  const fixedUs = Math.min(launchUs, us);
  return {
    us,
    launchUs: fixedUs,
    boundBy: fixedUs > floor.us ? "launch" : floor.boundBy,
    efficiency: floor.us / us,
    source,
  };
}

/** The table family that prices an operator; null for small kernels, which have none. */
function familyOf({ dims }: Operator): TableFamily | null {
  switch (dims.category) {
    case "gemm":
      return "gemm";
    case "grouped-gemm":
      return "groupedGemm";
    case "attention-prefill":
      return "prefillAttention";
    case "attention-decode":
      return "decodeAttention";
    case "collective":
      return dims.collective === "all-reduce" && dims.numRanks > 1 ? "allReduce" : null;
    default:
      return null;
  }
}

/** An operator without work costs nothing, whatever the tables say. */
function hasWork({ dims }: Operator): boolean {
  switch (dims.category) {
    case "gemm":
      return dims.m > 0 && dims.k > 0 && dims.n > 0;
    case "grouped-gemm":
      return dims.numTokens > 0;
    case "attention-prefill":
      return dims.chunks.length > 0;
    case "attention-decode":
      return dims.numRequests > 0;
    case "collective":
      return dims.messageBytes > 0;
    default:
      return true;
  }
}
