import { DTYPE_BYTES, type WeightDtype } from "../units/dtype.js";
import type { Operator } from "./operator.js";
import { weightElementBytes } from "./weights.js";

/** Bytes of one activation element: activations are bf16 or fp16. */
export const ACTIVATION_BYTES = DTYPE_BYTES.bf16;

/** FLOPs of `[m,k] × [k,n]`: a multiply and an add per product. */
export function gemmFlops(m: number, k: number, n: number): number {
  return 2 * m * k * n;
}

/** Bytes of `[k,n]` weights, quantisation metadata included. */
export function gemmWeightBytes(k: number, n: number, weightDtype: WeightDtype): number {
  return k * n * weightElementBytes(weightDtype);
}

/** Bytes of the input `[m,k]` and the output `[m,n]`. */
export function gemmActivationBytes(m: number, k: number, n: number): number {
  return m * (k + n) * ACTIVATION_BYTES;
}

/** What a linear layer is, besides its name and how often it runs. */
export interface GemmShape {
  readonly m: number;
  readonly k: number;
  readonly n: number;
  readonly weightDtype: WeightDtype;
  readonly hasBias?: boolean;
}

/** `[m,k] × [k,n]`: weights read once, input read once, output written once. */
export function gemmOperator(name: string, count: number, shape: GemmShape): Operator {
  const { m, k, n, weightDtype, hasBias = false } = shape;
  return {
    name,
    dims: { category: "gemm", m, k, n, weightDtype },
    count,
    inputShape: [m, k],
    outputShape: [m, n],
    flops: gemmFlops(m, k, n),
    weightBytes: gemmWeightBytes(k, n, weightDtype) + (hasBias ? n * ACTIVATION_BYTES : 0),
    activationBytes: gemmActivationBytes(m, k, n),
    kvReadBytes: 0,
    kvWriteBytes: 0,
  };
}

/**
 * A kernel that only moves activations. Its arithmetic is not counted as FLOPs: it runs on the vector units,
 * and MFU by convention counts matrix products only.
 */
export function memoryOperator(
  name: string,
  category: "norm" | "rope" | "activation" | "elementwise",
  count: number,
  shape: {
    readonly numTokens: number;
    readonly inputSize: number;
    readonly outputSize: number;
    /** Elements moved per token where they differ from input plus output. */
    readonly movedSize?: number;
    readonly weightSize?: number;
  },
): Operator {
  const { numTokens, inputSize, outputSize, movedSize = inputSize + outputSize, weightSize = 0 } = shape;
  return {
    name,
    dims: { category, numTokens },
    count,
    inputShape: [numTokens, inputSize],
    outputShape: [numTokens, outputSize],
    flops: 0,
    weightBytes: weightSize * ACTIVATION_BYTES,
    activationBytes: numTokens * movedSize * ACTIVATION_BYTES,
    kvReadBytes: 0,
    kvWriteBytes: 0,
  };
}

/**
 * A collective among the TP ranks. `messageBytes` is the whole tensor: what each rank holds before and after an
 * all-reduce, and what each rank holds after an all-gather.
 */
export function collectiveOperator(
  name: string,
  collective: "all-reduce" | "all-gather",
  count: number,
  shape: { readonly numRanks: number; readonly numTokens: number; readonly size: number },
): Operator {
  const { numRanks, numTokens, size } = shape;
  const messageBytes = numTokens * size * ACTIVATION_BYTES;
  return {
    name,
    dims: { category: "collective", collective, numRanks, messageBytes },
    count,
    inputShape: [numTokens, collective === "all-gather" ? size / numRanks : size],
    outputShape: [numTokens, size],
    flops: 0,
    weightBytes: 0,
    activationBytes: collective === "all-reduce" ? 2 * messageBytes : messageBytes * (1 + 1 / numRanks),
    kvReadBytes: 0,
    kvWriteBytes: 0,
  };
}
