import type { Operator } from "../../model/operator.js";
import type { KernelModel } from "../kernelModel.js";
import { DecodeAttentionTable, PrefillAttentionTable } from "./attentionTables.js";
import type { KernelTableSet } from "./kernelTable.js";
import { AllReduceTable, GemmTable, GroupedGemmTable } from "./matrixTables.js";
import type { TableGpu } from "./tableIndex.js";
import type { TableReading } from "./tableReading.js";

/** The tables of one GPU, one per family: finds the one that knows an operator. */
export class IndexedTables {
  readonly gemm: GemmTable;
  readonly groupedGemm: GroupedGemmTable;
  readonly prefillAttention: PrefillAttentionTable;
  readonly decodeAttention: DecodeAttentionTable;
  readonly allReduce: AllReduceTable;
  readonly #model: KernelModel;

  constructor(tables: KernelTableSet, gpu: TableGpu) {
    this.#model = gpu.model;
    this.gemm = new GemmTable(tables.gemm, gpu);
    this.groupedGemm = new GroupedGemmTable(tables.groupedGemm, gpu);
    this.prefillAttention = new PrefillAttentionTable(tables.prefillAttention, gpu);
    this.decodeAttention = new DecodeAttentionTable(tables.decodeAttention, gpu);
    this.allReduce = new AllReduceTable(tables.allReduce, gpu);
  }

  /**
   * @param floorUs physical floor of the operator
   * @returns null when no row has its dtype, heads, routing or ranks
   */
  read(operator: Operator, floorUs: number): TableReading | null {
    const { dims } = operator;
    switch (dims.category) {
      case "gemm":
        return this.gemm.read(dims);
      case "grouped-gemm":
        return this.groupedGemm.read(dims);
      case "attention-prefill":
        return this.prefillAttention.read(dims, floorUs, this.#model.price(operator).us);
      case "attention-decode":
        return this.decodeAttention.read(dims);
      case "collective":
        return this.allReduce.read(dims);
      default:
        return null;
    }
  }

  /** Largest |ln| by which the operator lies beyond the rows it is read from, 0 inside; null where `read` is null. */
  lnDistance({ dims }: Operator): number | null {
    switch (dims.category) {
      case "gemm":
        return this.gemm.lnDistance(dims);
      case "grouped-gemm":
        return this.groupedGemm.lnDistance(dims);
      case "attention-prefill":
        return this.prefillAttention.lnDistance(dims);
      case "attention-decode":
        return this.decodeAttention.lnDistance(dims);
      case "collective":
        return this.allReduce.lnDistance(dims);
      default:
        return null;
    }
  }
}
