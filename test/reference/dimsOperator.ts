import { groupedGemmFlops, touchedExperts } from "../../src/core/kernels/groupedGemmKernel.js";
import type { Operator, OperatorDims } from "../../src/core/model/operator.js";
import { DTYPE_BYTES } from "../../src/core/units/dtype.js";

type Work = Pick<Operator, "flops" | "weightBytes" | "activationBytes" | "kvReadBytes" | "kvWriteBytes">;

const NONE: Work = { flops: 0, weightBytes: 0, activationBytes: 0, kvReadBytes: 0, kvWriteBytes: 0 };

/** An operator of just these dims with its least work, counted plainly and independently of the model code. */
export function dimsOperator(dims: OperatorDims): Operator {
  return { name: dims.category, dims, count: 1, inputShape: [], outputShape: [], ...NONE, ...leastWork(dims) };
}

function leastWork(dims: OperatorDims): Partial<Work> {
  switch (dims.category) {
    case "gemm": {
      const { m, k, n, weightDtype } = dims;
      return {
        flops: 2 * m * k * n,
        weightBytes: k * n * DTYPE_BYTES[weightDtype],
        activationBytes: 2 * m * (k + n),
      };
    }
    case "grouped-gemm": {
      const weights = 3 * dims.hiddenSize * dims.intermediateSize * DTYPE_BYTES[dims.weightDtype];
      return {
        flops: groupedGemmFlops(dims),
        weightBytes: touchedExperts(dims) * weights,
        activationBytes: 4 * dims.numTokens * dims.hiddenSize,
      };
    }
    case "attention-prefill": {
      let numPairs = 0;
      let numKvTokens = 0;
      for (const { newTokens, contextTokens } of dims.chunks) {
        for (let i = 1; i <= newTokens; i += 1) {
          const seen = contextTokens + i;
          numPairs += dims.slidingWindow > 0 ? Math.min(seen, dims.slidingWindow) : seen;
        }
        numKvTokens += newTokens;
      }
      return {
        flops: 4 * dims.numHeads * dims.headDim * numPairs,
        kvWriteBytes: 2 * (dims.kvDtype === "fp8" ? 1 : 2) * dims.numKvHeads * dims.headDim * numKvTokens,
      };
    }
    case "attention-decode": {
      const bytes = 2 * (dims.kvDtype === "fp8" ? 1 : 2) * dims.numKvHeads * dims.headDim;
      return {
        flops: 4 * dims.numHeads * dims.headDim * dims.sumContextTokens,
        kvReadBytes: bytes * dims.sumContextTokens,
        kvWriteBytes: bytes * dims.numRequests,
      };
    }
    case "collective":
      return { activationBytes: 2 * dims.messageBytes };
    case "sample":
      return { activationBytes: 4 * dims.numRows * dims.vocabSize };
    case "mla-prefill":
    case "mla-decode":
    case "batched-gemm":
      throw new TypeError(`${dims.category}: make it from a layer, as test/unit/core/model/mlaOperators.test.ts does`);
    default:
      return { activationBytes: 4 * dims.numTokens * 4096 };
  }
}
