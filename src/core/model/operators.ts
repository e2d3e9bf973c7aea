import type { KvDtype, WeightDtype } from "../units/dtype.js";
import { attentionOperators } from "./attentionOperators.js";
import { collectiveOperator, gemmOperator, memoryOperator } from "./gemmOperator.js";
import { mlpKinds, numLayers, projectionKinds } from "./layerKinds.js";
import { mlaProjectionOperators } from "./mlaOperators.js";
import type { AttentionArchitecture, ModelArchitecture } from "./modelArchitecture.js";
import { moeOperators } from "./moeOperators.js";
import type { Operator, TokenShapes } from "./operator.js";
import { type Parallelism, shardAttention, vocabPerGpu } from "./sharding.js";
import { unquantizedDtype } from "./weights.js";

/** Element types a model is served with. */
export interface ServingDtypes {
  /** Of the linear layers; embeddings, LM head, router and norms stay 16-bit. */
  readonly weightDtype: WeightDtype;
  readonly kvDtype: KvDtype;
}

/** Sampling settings that change which kernels run. */
export interface SamplingTraits {
  /** Top-p or top-k is active, so that vLLM sorts the logits. */
  readonly sortsLogits: boolean;
}

/** Everything a list of operators depends on besides the model and the step's shapes. */
interface Serving {
  readonly parallelism: Parallelism;
  readonly dtypes: ServingDtypes;
  readonly sampling: SamplingTraits;
}

/**
 * All operators of one engine step on one GPU, in the order of the model. Names are unique within the list.
 * The model must be shardable (`requireShardable`). Work proportional to a dimension that is zero is left out:
 * no tokens, no operators; nothing sampled, no LM head.
 */
export function operators(
  architecture: ModelArchitecture,
  parallelism: Parallelism,
  dtypes: ServingDtypes,
  sampling: SamplingTraits,
  tokens: TokenShapes,
): Operator[] {
  if (tokens.numTokens === 0) return [];
  const serving = { parallelism, dtypes, sampling };
  return [
    ...embeddingOperators(architecture, serving, tokens.numTokens),
    ...attentionBlockOperators(architecture, serving, tokens),
    ...mlpBlockOperators(architecture, serving, tokens),
    ...outputOperators(architecture, serving, tokens),
  ];
}

/** The part of `operators` that depends on the number of tokens only: neither attention nor what is sampled. */
export function linearOperators(
  architecture: ModelArchitecture,
  parallelism: Parallelism,
  dtypes: ServingDtypes,
  sampling: SamplingTraits,
  tokens: Pick<TokenShapes, "numTokens" | "numUnpaddedTokens">,
): Operator[] {
  return operators(architecture, parallelism, dtypes, sampling, {
    numTokens: tokens.numTokens,
    numUnpaddedTokens: tokens.numUnpaddedTokens,
    numSampledTokens: 0,
    prefillChunks: NO_ROWS,
    decodeContextTokens: NO_ROWS,
  });
}

const NO_ROWS: readonly never[] = [];

function embeddingOperators(architecture: ModelArchitecture, serving: Serving, numTokens: number): Operator[] {
  const { hiddenSize } = architecture;
  // Each rank gathers only the rows of its part of the vocabulary, and writes zeros for the others.
  const movedSize = hiddenSize * (1 + 1 / serving.parallelism.tensorParallelSize);
  const shape = { numTokens, inputSize: 1, outputSize: hiddenSize, movedSize };
  return [
    memoryOperator("embedding", "elementwise", 1, shape),
    ...allReduce("embedding_all_reduce", 1, architecture, serving, numTokens),
  ];
}

/** The norm before a block adds the residual: it reads both and writes both. */
function addNorm(name: string, count: number, hiddenSize: number, numTokens: number): Operator {
  return memoryOperator(name, "norm", count, {
    numTokens,
    inputSize: hiddenSize,
    outputSize: hiddenSize,
    movedSize: 4 * hiddenSize,
    weightSize: hiddenSize,
  });
}

/** The norm after a block, in models that have four per layer. */
function plainNorm(name: string, count: number, hiddenSize: number, numTokens: number): Operator {
  return memoryOperator(name, "norm", count, {
    numTokens,
    inputSize: hiddenSize,
    outputSize: hiddenSize,
    weightSize: hiddenSize,
  });
}

function attentionBlockOperators(architecture: ModelArchitecture, serving: Serving, tokens: TokenShapes): Operator[] {
  const { hiddenSize, numNormsPerLayer } = architecture;
  const { parallelism, dtypes } = serving;
  const m = tokens.numTokens;
  const layers = numLayers(architecture);
  const projections = projectionKinds(architecture).map(({ attention, count }) =>
    projectionOperators(attention, count, { hiddenSize, serving, numTokens: m }),
  );
  return [
    addNorm("input_norm", layers, hiddenSize, m),
    ...projections.flatMap(({ before }) => before),
    ...attentionOperators(architecture, parallelism, dtypes, tokens),
    ...projections.flatMap(({ after }) => after),
    ...allReduce("attention_all_reduce", layers, architecture, serving, m),
    ...(numNormsPerLayer === 4 ? [plainNorm("attention_output_norm", layers, hiddenSize, m)] : []),
  ];
}

function projectionOperators(
  attention: AttentionArchitecture,
  count: number,
  context: { hiddenSize: number; serving: Serving; numTokens: number },
): { before: Operator[]; after: Operator[] } {
  const { hiddenSize, serving, numTokens } = context;
  const { weightDtype } = serving.dtypes;
  const { tensorParallelSize } = serving.parallelism;
  if (attention.kind === "mla") {
    return mlaProjectionOperators(attention, count, { hiddenSize, tensorParallelSize, weightDtype, numTokens });
  }
  const shard = shardAttention(attention, tensorParallelSize);
  const qkSize = (shard.numHeads + shard.numKvHeads) * shard.headDim;
  const qkShape = { numTokens, inputSize: qkSize, outputSize: qkSize };
  return {
    before: [
      gemmOperator("qkv_proj", count, {
        m: numTokens,
        k: hiddenSize,
        n: shard.qkvSize,
        weightDtype,
        hasBias: attention.hasQkvBias,
      }),
      ...(attention.hasQkNorm
        ? [memoryOperator("qk_norm", "norm", count, { ...qkShape, weightSize: 2 * shard.headDim })]
        : []),
      memoryOperator("rope", "rope", count, qkShape),
    ],
    after: [
      gemmOperator("o_proj", count, {
        m: numTokens,
        k: shard.outputSize,
        n: hiddenSize,
        weightDtype,
        hasBias: attention.hasOutputBias,
      }),
    ],
  };
}

function mlpBlockOperators(architecture: ModelArchitecture, serving: Serving, tokens: TokenShapes): Operator[] {
  const { hiddenSize, numMlpMatrices, numNormsPerLayer } = architecture;
  const { tensorParallelSize } = serving.parallelism;
  const { weightDtype } = serving.dtypes;
  const m = tokens.numTokens;
  const layers = numLayers(architecture);
  const list = [addNorm("post_attention_norm", layers, hiddenSize, m)];
  for (const { count, intermediateSize, moe } of mlpKinds(architecture)) {
    if (moe !== null) {
      list.push(...moeOperators(moe, count, { hiddenSize, numMlpMatrices, tensorParallelSize, weightDtype, tokens }));
    }
    if (intermediateSize > 0) {
      const size = intermediateSize / tensorParallelSize;
      const inputSize = (numMlpMatrices - 1) * size;
      const isGated = numMlpMatrices === 3;
      list.push(
        gemmOperator(isGated ? "gate_up_proj" : "up_proj", count, { m, k: hiddenSize, n: inputSize, weightDtype }),
        memoryOperator(isGated ? "silu_mul" : "activation", "activation", count, {
          numTokens: m,
          inputSize,
          outputSize: size,
        }),
        gemmOperator("down_proj", count, { m, k: size, n: hiddenSize, weightDtype }),
      );
    }
  }
  list.push(...allReduce("mlp_all_reduce", layers, architecture, serving, m));
  if (numNormsPerLayer === 4) list.push(plainNorm("mlp_output_norm", layers, hiddenSize, m));
  return list;
}

/** Final norm over all tokens, then what runs over the positions that yield a token. */
function outputOperators(architecture: ModelArchitecture, serving: Serving, tokens: TokenShapes): Operator[] {
  const { parallelism, dtypes, sampling } = serving;
  return [
    addNorm("final_norm", 1, architecture.hiddenSize, tokens.numTokens),
    ...sampledOperators(architecture, parallelism, dtypes, sampling, tokens.numSampledTokens),
  ];
}

/** The part of `operators` that runs over the positions that yield a token: LM head, gather of the logits, sampling. */
export function sampledOperators(
  architecture: ModelArchitecture,
  parallelism: Parallelism,
  dtypes: ServingDtypes,
  sampling: SamplingTraits,
  numSampledTokens: number,
): Operator[] {
  if (numSampledTokens === 0) return [];
  const { hiddenSize, vocabSize } = architecture;
  const { tensorParallelSize } = parallelism;
  const n = vocabPerGpu(vocabSize, tensorParallelSize);
  const weightDtype = unquantizedDtype(dtypes.weightDtype);
  const gather = { numRanks: tensorParallelSize, numTokens: numSampledTokens, size: n * tensorParallelSize };
  return [
    gemmOperator("lm_head", 1, { m: numSampledTokens, k: hiddenSize, n, weightDtype }),
    ...(tensorParallelSize > 1 ? [collectiveOperator("logits_all_gather", "all-gather", 1, gather)] : []),
    sampleOperator(numSampledTokens, vocabSize, sampling.sortsLogits),
  ];
}

/** Logits are read in 16 bits, written as fp32 and read again. */
const SAMPLE_BYTES_PER_LOGIT = 10;

function sampleOperator(numRows: number, vocabSize: number, sortsLogits: boolean): Operator {
  return {
    name: "sample",
    dims: { category: "sample", numRows, vocabSize, sortsLogits },
    count: 1,
    inputShape: [numRows, vocabSize],
    outputShape: [numRows],
    flops: 0,
    weightBytes: 0,
    activationBytes: numRows * vocabSize * SAMPLE_BYTES_PER_LOGIT,
    kvReadBytes: 0,
    kvWriteBytes: 0,
  };
}

function allReduce(
  name: string,
  count: number,
  architecture: ModelArchitecture,
  serving: Serving,
  numTokens: number,
): Operator[] {
  const numRanks = serving.parallelism.tensorParallelSize;
  if (numRanks === 1) return [];
  return [collectiveOperator(name, "all-reduce", count, { numRanks, numTokens, size: architecture.hiddenSize })];
}
