import { readOptionalDataText } from "../dataFile/dataFile.js";
import type { ServerConfig } from "../dataFile/serverConfig.js";

/**
 * What vLLM printed about itself when it started; null where the log does not say, all null without a log.
 * Newer lines win over none: each fact is looked up where vLLM states its resolved value, then among the arguments.
 */
export function readVllmLog(file: string): ServerConfig {
  const text = readOptionalDataText(file) ?? "";
  const numGpuBlocks = integer(text, [/num_gpu_blocks is: ([\d,]+)/, /# GPU blocks: ([\d,]+)/]);
  const kvTokens = integer(text, [/GPU KV cache size: ([\d,]+) tokens/]);
  return {
    model: first(text, [/served_model_name=([^\s,\]]+)/, /'model': '([^']+)'/]),
    gpu: null,
    tensorParallelSize: integer(text, [/tensor_parallel_size=(\d+)/, /'tensor_parallel_size': (\d+)/]),
    maxModelLen: integer(text, [/max_seq_len=(\d+)/, /Using max model len (\d+)/, /'max_model_len': (\d+)/]),
    maxNumBatchedTokens: integer(text, [
      /Chunked prefill is enabled with max_num_batched_tokens=(\d+)/,
      /'max_num_batched_tokens': (\d+)/,
    ]),
    maxNumSeqs: integer(text, [/max_num_seqs=(\d+)/, /'max_num_seqs': (\d+)/]),
    blockSize: numGpuBlocks && kvTokens ? Math.round(kvTokens / numGpuBlocks) : null,
    numGpuBlocks,
    enablePrefixCaching: flag(first(text, [/enable_prefix_caching=(True|False)/])),
    dtype: first(text, [/dtype=torch\.(\w+)/]),
    vllmVersion: first(text, [/vLLM API server version (\S+)/, /LLM engine \(v([^)]+)\)/]),
  };
}

function first(text: string, patterns: readonly RegExp[]): string | null {
  for (const pattern of patterns) {
    const found = pattern.exec(text)?.[1];
    if (found !== undefined) return found;
  }
  return null;
}

function integer(text: string, patterns: readonly RegExp[]): number | null {
  const digits = first(text, patterns);
  return digits === null ? null : Number(digits.replaceAll(",", ""));
}

function flag(word: string | null): boolean | null {
  return word === null ? null : word === "True";
}
