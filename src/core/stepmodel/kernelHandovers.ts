import { numLayers } from "../model/layerKinds.js";
import type { ModelArchitecture } from "../model/modelArchitecture.js";
import { operators } from "../model/operators.js";

/**
 * How often a kernel follows one of another kind in a decode step, per layer (those outside layers spread over them).
 * Collectives are not counted: what waiting for them costs is rank skew.
 */
export function kernelHandoversPerLayer(architecture: ModelArchitecture): number {
  // The numbers of tokens, the dtypes and the sampling change what kernels compute, not how many there are.
  const dtypes = { weightDtype: "bf16", kvDtype: "bf16" } as const;
  const oneDecode = {
    numTokens: 1,
    numUnpaddedTokens: 1,
    numSampledTokens: 1,
    prefillChunks: [],
    decodeContextTokens: [1],
  };
  const list = operators(architecture, { tensorParallelSize: 1 }, dtypes, { sortsLogits: false }, oneDecode);
  const kernels = list.filter(({ dims }) => dims.category !== "collective");
  return kernels.reduce((sum, { count }) => sum + count, 0) / numLayers(architecture);
}
