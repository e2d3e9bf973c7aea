import type { Operator, OperatorDims } from "../../model/operator.js";
import type { WeightDtype } from "../../units/dtype.js";
import type { AllReduceRow, GemmRow, GroupedGemmRow } from "./kernelTable.js";
import { physicalFloor } from "./physicalFloor.js";
import { allReduceRowOperator, gemmRowOperator, groupedGemmRowOperator } from "./rowOperator.js";
import { type TableGpu, TableIndex } from "./tableIndex.js";
import type { TableReading } from "./tableReading.js";

type Dims<Category extends OperatorDims["category"]> = Extract<OperatorDims, { category: Category }>;

/** fp16 runs on the same tensor cores at the same rate as bf16. */
function kernelDtype(dtype: WeightDtype): WeightDtype {
  return dtype === "fp16" ? "bf16" : dtype;
}

function gemmAt({ dtype }: GemmRow, [m, k, n]: readonly number[]): Operator {
  return gemmRowOperator({ m: m!, k: k!, n: n!, dtype });
}

function groupedGemmAt(row: GroupedGemmRow, [numTokens, hiddenSize, intermediateSize]: readonly number[]): Operator {
  return groupedGemmRowOperator({
    ...row,
    numTokens: numTokens!,
    hiddenSize: hiddenSize!,
    intermediateSize: intermediateSize!,
  });
}

function allReduceAt({ numRanks }: AllReduceRow, [messageBytes]: readonly number[]): Operator {
  return allReduceRowOperator({ numRanks, messageBytes: messageBytes! });
}

const TOKENS = { min: 1, max: 2 ** 17 };
const MATRIX_SIDE = { min: 64, max: 2 ** 18 };

/** Dense GEMMs of one GPU over (m, k, n), one grid per dtype. */
export class GemmTable {
  readonly index: TableIndex<GemmRow>;

  constructor(rows: readonly GemmRow[], gpu: TableGpu) {
    this.index = new TableIndex<GemmRow>(rows, gpu, {
      keyOf: ({ dtype }) => kernelDtype(dtype),
      at: ({ m, k, n }) => [m, k, n],
      operatorOf: gemmRowOperator,
      axes: [TOKENS, MATRIX_SIDE, MATRIX_SIDE],
      floorUs: (row, at) => physicalFloor(gemmAt(row, at), gpu.roofs).us,
      operatorAt: gemmAt,
    });
  }

  read({ m, k, n, weightDtype }: Dims<"gemm">): TableReading | null {
    return this.index.read(kernelDtype(weightDtype), [m, k, n]);
  }

  lnDistance({ m, k, n, weightDtype }: Dims<"gemm">): number | null {
    return this.index.lnDistance(kernelDtype(weightDtype), [m, k, n]);
  }
}

/** Fused experts over (tokens, hidden size, expert size), one grid per dtype and routing. */
export class GroupedGemmTable {
  readonly index: TableIndex<GroupedGemmRow>;

  constructor(rows: readonly GroupedGemmRow[], gpu: TableGpu) {
    this.index = new TableIndex<GroupedGemmRow>(rows, gpu, {
      keyOf: groupedGemmKey,
      operatorOf: groupedGemmRowOperator,
      at: ({ numTokens, hiddenSize, intermediateSize }) => [numTokens, hiddenSize, intermediateSize],
      axes: [TOKENS, MATRIX_SIDE, MATRIX_SIDE],
      floorUs: (row, at) => physicalFloor(groupedGemmAt(row, at), gpu.roofs).us,
      operatorAt: groupedGemmAt,
    });
  }

  read(dims: Dims<"grouped-gemm">): TableReading | null {
    const { numTokens, hiddenSize, intermediateSize, weightDtype } = dims;
    return this.index.read(groupedGemmKey({ ...dims, dtype: weightDtype }), [numTokens, hiddenSize, intermediateSize]);
  }

  lnDistance(dims: Dims<"grouped-gemm">): number | null {
    const { numTokens, hiddenSize, intermediateSize, weightDtype } = dims;
    const key = groupedGemmKey({ ...dims, dtype: weightDtype });
    return this.index.lnDistance(key, [numTokens, hiddenSize, intermediateSize]);
  }
}

function groupedGemmKey(shape: Pick<GroupedGemmRow, "numExperts" | "numLocalExperts" | "topK" | "dtype">): string {
  const { numExperts, numLocalExperts, topK, dtype } = shape;
  return `${kernelDtype(dtype)} ${numExperts} ${numLocalExperts} ${topK}`;
}

/** All-reduces over the message size, one curve per number of ranks. */
export class AllReduceTable {
  readonly index: TableIndex<AllReduceRow>;

  constructor(rows: readonly AllReduceRow[], gpu: TableGpu) {
    this.index = new TableIndex<AllReduceRow>(rows, gpu, {
      keyOf: ({ numRanks }) => String(numRanks),
      at: ({ messageBytes }) => [messageBytes],
      operatorOf: allReduceRowOperator,
      axes: [{ min: 16, max: 2 ** 32 }],
      floorUs: (row, at) => physicalFloor(allReduceAt(row, at), gpu.roofs).us,
      operatorAt: allReduceAt,
    });
  }

  /** Rows measure all-reduces; other collectives have no table. */
  read({ collective, numRanks, messageBytes }: Dims<"collective">): TableReading | null {
    return collective === "all-reduce" ? this.index.read(String(numRanks), [messageBytes]) : null;
  }

  lnDistance({ collective, numRanks, messageBytes }: Dims<"collective">): number | null {
    return collective === "all-reduce" ? this.index.lnDistance(String(numRanks), [messageBytes]) : null;
  }
}
