import type { GpuSpec } from "../../core/hardware/gpuSpec.js";
import { gpuRoofs } from "../../core/kernels/gpuRoofs.js";
import { physicalFloor } from "../../core/kernels/tables/physicalFloor.js";
import {
  allReduceRowOperator,
  decodeRowOperator,
  gemmRowOperator,
  groupedGemmRowOperator,
  prefillRowOperator,
} from "../../core/kernels/tables/rowOperator.js";
import { type Operator, operatorBytes } from "../../core/model/operator.js";
import type { ParsedRow } from "./parseTable.js";
import type { TableFile } from "./tableFiles.js";
import { allReduceRows, decodeRows, gemmRows, groupedGemmRows, prefillRows } from "./tableRows.js";

/** A row faster than its GPU's datasheet allows. */
export interface ImpossibleRow {
  readonly row: number;
  /** Physical floor / latency, > 1. */
  readonly factor: number;
  readonly boundBy: "compute" | "memory" | "network";
  /** An fp8 product that is possible if its input was fp8 already: the benchmark left the quantisation out. */
  readonly isUnquantizedInput: boolean;
  /** Memory-bound, and everything the kernel touches fits in the L2 cache: a benchmark that reused its data. */
  readonly fitsInCache: boolean;
}

/** Below this a floor made of rounded datasheet numbers proves nothing. */
const FACTOR_TOLERANCE = 1.005;
/** Benchmarks of routed experts draw the rows of each expert at random around the mean that floors count. */
const ROUTING_TOLERANCE = 1.3;

/**
 * Rows faster than FLOPs at peak or bytes at peak bandwidth. Families whose operators roofserve does not count
 * (MLA, GDN, DSA) give none.
 */
export function impossibleRows(file: TableFile, rows: readonly ParsedRow[], gpu: GpuSpec): ImpossibleRow[] {
  const roofs = gpuRoofs(gpu);
  const tolerance = file.family.startsWith("grouped_gemm") ? ROUTING_TOLERANCE : FACTOR_TOLERANCE;
  return timedOperators(file, rows, gpu).flatMap(({ operator, latencyUs }, i) => {
    const { us, boundBy } = physicalFloor(operator, roofs);
    const factor = us / latencyUs;
    if (!(factor > tolerance)) return [];
    const isUnquantizedInput = !(physicalFloor(withFp8Input(operator), roofs).us / latencyUs > tolerance);
    const fitsInCache = boundBy === "memory" && operatorBytes(operator) <= gpu.memory.l2Bytes;
    return [{ row: rows[i]!.row, factor, boundBy, isUnquantizedInput, fitsInCache }];
  });
}

/** The same product without the 16-bit input an engine would have to quantise first. */
function withFp8Input(operator: Operator): Operator {
  const { dims } = operator;
  if (dims.category !== "gemm" || dims.weightDtype !== "fp8") return operator;
  return { ...operator, activationBytes: operator.activationBytes - dims.m * dims.k };
}

interface TimedOperator {
  readonly operator: Operator;
  readonly latencyUs: number;
}

/** One entry per row. */
function timedOperators(file: TableFile, rows: readonly ParsedRow[], gpu: GpuSpec): TimedOperator[] {
  switch (file.family) {
    case "gemm":
      return gemmRows(rows, gpu).map((row) => ({ ...row, operator: gemmRowOperator(row) }));
    case "grouped_gemm/prefill":
    case "grouped_gemm/decode":
      return groupedGemmRows(file.family, rows, gpu).map((row) => ({ ...row, operator: groupedGemmRowOperator(row) }));
    case "mha/prefill":
      return prefillRows(file, rows).map((row) => ({ ...row, operator: prefillRowOperator(row) }));
    case "mha/decode":
      return decodeRows(file, rows).map((row) => ({ ...row, operator: decodeRowOperator(row) }));
    case "all_reduce":
      return allReduceRows(rows).map((row) => ({ ...row, operator: allReduceRowOperator(row) }));
    default:
      return [];
  }
}
