import type { WeightDtype } from "../units/dtype.js";
import { ACTIVATION_BYTES, gemmFlops, gemmOperator, gemmWeightBytes, memoryOperator } from "./gemmOperator.js";
import type { MoeArchitecture } from "./modelArchitecture.js";
import type { Operator, TokenShapes } from "./operator.js";
import { unquantizedDtype } from "./weights.js";

/**
 * Share of the experts that at least one of `numTokens` tokens visits, expected under balanced, independent routing.
 * @returns from topK / numExperts (one token) up to 1
 */
export function touchedExpertFraction(numExperts: number, topK: number, numTokens: number): number {
  return 1 - Math.max(0, 1 - topK / numExperts) ** numTokens;
}

/** FLOPs of one (token, expert) pair: gate, up and down, or up and down of a plain MLP. */
export function expertPairFlops(hiddenSize: number, intermediateSize: number, numMlpMatrices: 2 | 3): number {
  return numMlpMatrices * gemmFlops(1, hiddenSize, intermediateSize);
}

/** Bytes of one expert's weights. */
export function expertWeightBytes(
  hiddenSize: number,
  intermediateSize: number,
  numMlpMatrices: 2 | 3,
  weightDtype: WeightDtype,
): number {
  return numMlpMatrices * gemmWeightBytes(hiddenSize, intermediateSize, weightDtype);
}

/** What the operators of an MoE layer depend on besides the layer. */
export interface MoeContext {
  readonly hiddenSize: number;
  readonly numMlpMatrices: 2 | 3;
  readonly tensorParallelSize: number;
  readonly weightDtype: WeightDtype;
  readonly tokens: TokenShapes;
}

/** Router, routed experts and shared experts of `count` layers; the all-reduce after them is the caller's. */
export function moeOperators(moe: MoeArchitecture, count: number, context: MoeContext): Operator[] {
  const { hiddenSize, weightDtype, tokens } = context;
  const m = tokens.numTokens;
  const plainDtype = unquantizedDtype(weightDtype);
  return [
    gemmOperator("router", count, { m, k: hiddenSize, n: moe.numExperts, weightDtype: plainDtype }),
    memoryOperator("router_topk", "elementwise", count, {
      numTokens: m,
      inputSize: moe.numExperts,
      outputSize: moe.numExpertsPerToken,
    }),
    routedExperts(moe, count, context),
    ...sharedExperts(moe, count, context),
  ];
}

/**
 * The fused routed experts. Counts real tokens, not CUDA graph padding. Bytes are the floor: each touched expert's
 * weights once, the layer's input and output once; what the kernel parks in between is its own affair.
 */
function routedExperts(moe: MoeArchitecture, count: number, context: MoeContext): Operator {
  const { hiddenSize, numMlpMatrices, tensorParallelSize, weightDtype, tokens } = context;
  const numTokens = tokens.numUnpaddedTokens;
  const intermediateSize = moe.expertIntermediateSize / tensorParallelSize;
  const { numExperts, numExpertsPerToken } = moe;
  const numTouched = numExperts * touchedExpertFraction(numExperts, numExpertsPerToken, numTokens);
  return {
    name: "fused_experts",
    dims: {
      category: "grouped-gemm",
      numTokens,
      numExperts: moe.numExperts,
      numLocalExperts: moe.numExperts,
      topK: moe.numExpertsPerToken,
      hiddenSize,
      intermediateSize,
      weightDtype,
    },
    count,
    inputShape: [numTokens, hiddenSize],
    outputShape: [numTokens, hiddenSize],
    flops: numTokens * numExpertsPerToken * expertPairFlops(hiddenSize, intermediateSize, numMlpMatrices),
    weightBytes: numTouched * expertWeightBytes(hiddenSize, intermediateSize, numMlpMatrices, weightDtype),
    activationBytes: 2 * numTokens * hiddenSize * ACTIVATION_BYTES,
    kvReadBytes: 0,
    kvWriteBytes: 0,
  };
}

function sharedExperts(moe: MoeArchitecture, count: number, context: MoeContext): Operator[] {
  if (moe.sharedIntermediateSize === 0) return [];
  const { hiddenSize, tensorParallelSize, weightDtype, tokens } = context;
  const m = tokens.numTokens;
  const size = moe.sharedIntermediateSize / tensorParallelSize;
  const plainDtype = unquantizedDtype(weightDtype);
  return [
    ...(moe.hasSharedExpertGate
      ? [gemmOperator("shared_expert_gate", count, { m, k: hiddenSize, n: 1, weightDtype: plainDtype })]
      : []),
    gemmOperator("shared_gate_up_proj", count, { m, k: hiddenSize, n: 2 * size, weightDtype }),
    memoryOperator("shared_silu_mul", "activation", count, { numTokens: m, inputSize: 2 * size, outputSize: size }),
    gemmOperator("shared_down_proj", count, { m, k: size, n: hiddenSize, weightDtype }),
    memoryOperator("shared_expert_add", "elementwise", count, {
      numTokens: m,
      inputSize: 2 * hiddenSize,
      outputSize: hiddenSize,
    }),
  ];
}
