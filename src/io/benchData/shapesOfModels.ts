import { REFERENCE_HEAD_DIM } from "../../core/kernels/decodeAttentionKernel.js";
import { type FittedFamily, type ModelsByShape, SHAPE_NAMES } from "../../core/kernels/fit/shapeErrors.js";
import type { ModelArchitecture } from "../../core/model/modelArchitecture.js";
import type { OperatorDims } from "../../core/model/operator.js";
import { operatorsAtEveryTp } from "./modelledShapes.js";

/** The shapes that models need at TP 1, 2, 4 and 8, by family and name, and which models have each. */
export function shapesOfModels(architectures: readonly ModelArchitecture[]): Record<FittedFamily, ModelsByShape> {
  const families = {
    gemm: new Map<string, string[]>(),
    "grouped-gemm": new Map<string, string[]>(),
    "attention-decode": new Map<string, string[]>(),
    "attention-prefill": new Map<string, string[]>(),
  };
  for (const architecture of architectures) {
    for (const { dims } of operatorsAtEveryTp(architecture)) {
      for (const [family, name] of namesOf(dims)) {
        const models = families[family].get(name) ?? [];
        families[family].set(name, models);
        if (!models.includes(architecture.id)) models.push(architecture.id);
      }
    }
  }
  return families;
}

/** Names under which a fit knows the operator; a decode's heads are those of the prefill before it. */
function namesOf(dims: OperatorDims): [FittedFamily, string][] {
  switch (dims.category) {
    case "gemm":
      return [["gemm", SHAPE_NAMES.gemm([dims.m, dims.n, dims.k])]];
    case "grouped-gemm": {
      const { numTokens, numExperts, numLocalExperts, topK, hiddenSize, intermediateSize } = dims;
      const shape = [numTokens, numExperts, numLocalExperts, topK, hiddenSize, intermediateSize];
      return [["grouped-gemm", SHAPE_NAMES["grouped-gemm"](shape)]];
    }
    case "attention-decode": {
      if (dims.headDim !== REFERENCE_HEAD_DIM) return [];
      const name = SHAPE_NAMES["attention-decode"]([0, 0, dims.numHeads, dims.numKvHeads]);
      return [
        ["attention-decode", name],
        ["attention-prefill", name],
      ];
    }
    default:
      return [];
  }
}
