import { InvariantError } from "../../errors/simulationError.js";
import { attentionOperators } from "../../model/attentionOperators.js";
import { collectiveOperator, gemmOperator } from "../../model/gemmOperator.js";
import type { ModelArchitecture } from "../../model/modelArchitecture.js";
import { moeOperators } from "../../model/moeOperators.js";
import type { Operator, PrefillChunk } from "../../model/operator.js";
import type {
  AllReduceRow,
  AttentionHeads,
  DecodeAttentionRow,
  GemmRow,
  GroupedGemmRow,
  PrefillAttentionRow,
  TableRow,
} from "./kernelTable.js";

type Shape<Row extends TableRow> = Omit<Row, keyof TableRow>;

/** The operator a GEMM row measured. */
export function gemmRowOperator(shape: Shape<GemmRow>): Operator {
  return gemmOperator("gemm", 1, { m: shape.m, k: shape.k, n: shape.n, weightDtype: shape.dtype });
}

/** The operator a prefill row measured. */
export function prefillRowOperator(shape: Shape<PrefillAttentionRow>): Operator {
  const chunk: PrefillChunk = { newTokens: shape.seqLen, contextTokens: shape.contextLen };
  const prefillChunks = new Array<PrefillChunk>(shape.batchSize).fill(chunk);
  return attentionOperator(shape, { prefillChunks, decodeContextTokens: [] });
}

/** The operator a decode row measured. */
export function decodeRowOperator(shape: Shape<DecodeAttentionRow>): Operator {
  const decodeContextTokens = new Array<number>(shape.batchSize).fill(shape.kvLen);
  return attentionOperator(shape, { prefillChunks: [], decodeContextTokens });
}

/** The operator a grouped GEMM row measured; with expert parallelism this GPU's share of the experts and tokens. */
export function groupedGemmRowOperator(shape: Shape<GroupedGemmRow>): Operator {
  const { numTokens, numExperts, numLocalExperts, topK, hiddenSize, intermediateSize, dtype } = shape;
  const tokens = {
    numTokens,
    numUnpaddedTokens: numTokens,
    numSampledTokens: 0,
    prefillChunks: [],
    decodeContextTokens: [],
  };
  const moe = {
    numExperts,
    numExpertsPerToken: topK,
    expertIntermediateSize: intermediateSize,
    sharedIntermediateSize: 0,
    hasSharedExpertGate: false,
  };
  const context = { hiddenSize, numMlpMatrices: 3 as const, tensorParallelSize: 1, weightDtype: dtype, tokens };
  const whole = sole(moeOperators(moe, 1, context).filter(({ dims }) => dims.category === "grouped-gemm"));
  if (whole.dims.category !== "grouped-gemm") throw new InvariantError("rowOperator: no routed experts");
  const localFraction = numLocalExperts / numExperts;
  return {
    ...whole,
    dims: { ...whole.dims, numLocalExperts },
    flops: whole.flops * localFraction,
    weightBytes: whole.weightBytes * localFraction,
    activationBytes: whole.activationBytes * localFraction,
  };
}

/** The operator an all-reduce row measured. */
export function allReduceRowOperator(shape: Shape<AllReduceRow>): Operator {
  const { numRanks, messageBytes } = shape;
  return collectiveOperator("all_reduce", "all-reduce", 1, { numRanks, numTokens: 1, size: messageBytes / 2 });
}

function attentionOperator(heads: AttentionHeads, tokens: Parameters<typeof attentionOperators>[3]): Operator {
  return sole(
    attentionOperators(
      oneAttentionLayer(heads),
      { tensorParallelSize: 1 },
      { weightDtype: "bf16", kvDtype: heads.kvDtype },
      tokens,
    ),
  );
}

/** A model of nothing but one attention layer, so that its FLOPs and bytes are counted where all others are. */
function oneAttentionLayer({ numHeads, numKvHeads, headDim }: AttentionHeads): ModelArchitecture {
  return {
    id: "one attention layer",
    hiddenSize: numHeads * headDim,
    vocabSize: 0,
    maxPositionEmbeddings: 0,
    tiesWordEmbeddings: true,
    weightDtype: "bf16",
    layerGroups: [
      {
        count: 1,
        attention: {
          kind: "gqa",
          numHeads,
          numKvHeads,
          headDim,
          hasQkvBias: false,
          hasOutputBias: false,
          hasQkNorm: false,
          slidingWindow: 0,
        },
        intermediateSize: 0,
        moe: null,
      },
    ],
    numNormsPerLayer: 2,
    numMlpMatrices: 3,
    defaultSampling: null,
  };
}

function sole(operators: readonly Operator[]): Operator {
  const [only] = operators;
  if (only === undefined || operators.length > 1) {
    throw new InvariantError(`rowOperator: expected one operator, got ${operators.length}`);
  }
  return only;
}
