import { DTYPE_BYTES, type WeightDtype } from "../units/dtype.js";
import type { AttentionArchitecture, LayerGroup, ModelArchitecture } from "./modelArchitecture.js";
import { shardAttention, shardMla, vocabPerGpu } from "./sharding.js";

/** Elements that share a scale and a zero point in AWQ and GPTQ checkpoints. */
const INT4_GROUP_SIZE = 128;
/** A 16-bit scale and a 4-bit zero point per group. */
const INT4_GROUP_OVERHEAD_BYTES = 2.5;

/**
 * Bytes of one element of a linear layer's weights, quantisation metadata included.
 * fp8 scales (one per tensor, channel or 128 × 128 block) are below a thousandth and not counted.
 */
export function weightElementBytes(dtype: WeightDtype): number {
  return DTYPE_BYTES[dtype] + (dtype === "int4" ? INT4_GROUP_OVERHEAD_BYTES / INT4_GROUP_SIZE : 0);
}

/** dtype of what quantisation leaves alone: embeddings, LM head, router, norms, biases, activations. */
export function unquantizedDtype(dtype: WeightDtype): "bf16" | "fp16" {
  return dtype === "fp16" ? "fp16" : "bf16";
}

/** Elements on one GPU by whether quantisation applies to them. */
interface ElementCounts {
  readonly quantizable: number;
  readonly plain: number;
}

/** Elements of one layer on one GPU; `numExperts` lets a caller count only the experts a token uses. */
function layerElements(
  architecture: ModelArchitecture,
  group: LayerGroup,
  tensorParallelSize: number,
  numExperts: number,
): ElementCounts {
  const { hiddenSize, numMlpMatrices } = architecture;
  const { intermediateSize, moe } = group;
  const attention = attentionElements(group.attention, hiddenSize, tensorParallelSize);
  const expertIntermediate = moe === null ? 0 : numExperts * moe.expertIntermediateSize + moe.sharedIntermediateSize;
  const mlpSize = (intermediateSize + expertIntermediate) / tensorParallelSize;
  const router = moe === null ? 0 : hiddenSize * (moe.numExperts + (moe.hasSharedExpertGate ? 1 : 0));
  return {
    quantizable: attention.quantizable + hiddenSize * numMlpMatrices * mlpSize,
    plain: attention.plain + router + architecture.numNormsPerLayer * hiddenSize,
  };
}

/** Elements of the attention of one layer on one GPU; latents are projected on every GPU alike. */
function attentionElements(
  attention: AttentionArchitecture,
  hiddenSize: number,
  tensorParallelSize: number,
): ElementCounts {
  if (attention.kind === "gqa") {
    const shard = shardAttention(attention, tensorParallelSize);
    const qkvBias = attention.hasQkvBias ? shard.qkvSize : 0;
    const outputBias = attention.hasOutputBias ? hiddenSize : 0;
    const headNorms = attention.hasQkNorm ? 2 * attention.headDim : 0;
    return {
      quantizable: hiddenSize * (shard.qkvSize + shard.outputSize),
      plain: qkvBias + outputBias + headNorms,
    };
  }
  const { qLoraRank, kvLoraRank } = attention;
  const shard = shardMla(attention, tensorParallelSize);
  const queryInputSize = qLoraRank > 0 ? qLoraRank : hiddenSize;
  return {
    quantizable:
      hiddenSize * (shard.latentSize + shard.outputSize) +
      queryInputSize * shard.querySize +
      kvLoraRank * shard.kvExpandedSize,
    plain: qLoraRank + kvLoraRank,
  };
}

/**
 * Elements that vLLM holds a second time, in 16 bits: decoding multiplies by the projection of the latent itself, which a
 * quantised kernel cannot, so that loading it unpacks a copy.
 * @see vLLM `vllm/v1/attention/backends/mla/common.py`, process_weights_after_loading
 */
function unpackedElements(architecture: ModelArchitecture, tensorParallelSize: number): number {
  return architecture.layerGroups.reduce((sum, { attention, count }) => {
    if (attention.kind !== "mla") return sum;
    return sum + count * attention.kvLoraRank * shardMla(attention, tensorParallelSize).kvExpandedSize;
  }, 0);
}

/** Elements a rotary table has per position: cosines and sines of half of what is rotated. */
function rotatedSize(architecture: ModelArchitecture): number {
  const attention = architecture.layerGroups[0]?.attention;
  if (attention === undefined) return 0;
  return attention.kind === "mla" ? attention.ropeHeadDim : attention.headDim;
}

function sumLayers(
  architecture: ModelArchitecture,
  tensorParallelSize: number,
  expertsOf: (group: LayerGroup) => number,
): ElementCounts {
  let quantizable = 0;
  let plain = architecture.hiddenSize;
  for (const group of architecture.layerGroups) {
    const elements = layerElements(architecture, group, tensorParallelSize, expertsOf(group));
    quantizable += group.count * elements.quantizable;
    plain += group.count * elements.plain;
  }
  return { quantizable, plain };
}

function vocabTables(architecture: ModelArchitecture): number {
  return architecture.tiesWordEmbeddings ? 1 : 2;
}

/** Parameters of the checkpoint, as model cards count them (tied embeddings once, biases of plain MLPs ignored). */
export function parameterCount(architecture: ModelArchitecture): number {
  const layers = sumLayers(architecture, 1, (group) => group.moe?.numExperts ?? 0);
  return (
    layers.quantizable + layers.plain + vocabTables(architecture) * architecture.vocabSize * architecture.hiddenSize
  );
}

/** Parameters one token uses: all of a dense model; the routed and shared experts it visits of an MoE. */
export function activeParameterCount(architecture: ModelArchitecture): number {
  const layers = sumLayers(architecture, 1, (group) => group.moe?.numExpertsPerToken ?? 0);
  return (
    layers.quantizable + layers.plain + vocabTables(architecture) * architecture.vocabSize * architecture.hiddenSize
  );
}

/**
 * Bytes a loaded model takes on one GPU: sharded linear layers, vocabulary-parallel embedding and LM head,
 * replicated norms, routers and rotary table.
 * @param weightDtype of the linear layers; the rest stays 16-bit
 */
export function weightBytesPerGpu(
  architecture: ModelArchitecture,
  tensorParallelSize: number,
  weightDtype: WeightDtype,
): number {
  const layers = sumLayers(architecture, tensorParallelSize, (group) => group.moe?.numExperts ?? 0);
  const vocabRows = vocabTables(architecture) * vocabPerGpu(architecture.vocabSize, tensorParallelSize);
  const rotaryTable = architecture.maxPositionEmbeddings * rotatedSize(architecture);
  const isQuantized = weightDtype === "fp8" || weightDtype === "int4";
  const unpacked = isQuantized ? unpackedElements(architecture, tensorParallelSize) : 0;
  const plainBytes = DTYPE_BYTES[unquantizedDtype(weightDtype)];
  return (
    layers.quantizable * weightElementBytes(weightDtype) +
    (layers.plain + vocabRows * architecture.hiddenSize + rotaryTable + unpacked) * plainBytes
  );
}
