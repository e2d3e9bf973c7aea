import * as z from "zod";
import { parseYaml } from "../structuredFile.js";
import { checkData, readOptionalDataText } from "./dataFile.js";

const positive = z.number().int().min(1).max(1e9);
const name = z.string().min(1);

/** Keys as the experiments' `exp-config.yaml` spell them, with vLLM's own spelling beside where it differs. */
const serverConfigSchema = z
  .object({
    model: name.nullish(),
    gpu: name.nullish(),
    hardware: name.nullish(),
    tensor_parallelism: positive.nullish(),
    tensor_parallel_size: positive.nullish(),
    max_model_len: positive.nullish(),
    max_num_batched_tokens: positive.nullish(),
    max_num_seqs: positive.nullish(),
    block_size: positive.nullish(),
    num_gpu_blocks: positive.nullish(),
    num_gpu_blocks_override: positive.nullish(),
    enable_prefix_caching: z.boolean().nullish(),
    dtype: name.nullish(),
    vllm_version: z.union([name, z.number().transform(String)]).nullish(),
  })
  .nullable();

/** What an experiment's folder says of its server; null where it does not. */
export interface ServerConfig {
  readonly model: string | null;
  readonly gpu: string | null;
  readonly tensorParallelSize: number | null;
  readonly maxModelLen: number | null;
  readonly maxNumBatchedTokens: number | null;
  readonly maxNumSeqs: number | null;
  readonly blockSize: number | null;
  readonly numGpuBlocks: number | null;
  readonly enablePrefixCaching: boolean | null;
  readonly dtype: string | null;
  readonly vllmVersion: string | null;
}

/**
 * Reads `exp-config.yaml`; a missing or empty file says nothing.
 * @throws DataFileError
 */
export function readServerConfig(file: string): ServerConfig {
  const text = readOptionalDataText(file);
  return serverConfigOf(text === null ? null : parseYaml(text, file), file);
}

/**
 * What parsed settings, of whatever file, say of a server.
 * @throws DataFileError
 */
export function serverConfigOf(input: unknown, file: string): ServerConfig {
  const config = checkData(serverConfigSchema, input, file, "correct the value or remove the line") ?? {};
  return {
    model: config.model ?? null,
    gpu: config.gpu ?? config.hardware ?? null,
    tensorParallelSize: config.tensor_parallelism ?? config.tensor_parallel_size ?? null,
    maxModelLen: config.max_model_len ?? null,
    maxNumBatchedTokens: config.max_num_batched_tokens ?? null,
    maxNumSeqs: config.max_num_seqs ?? null,
    blockSize: config.block_size ?? null,
    numGpuBlocks: config.num_gpu_blocks ?? config.num_gpu_blocks_override ?? null,
    enablePrefixCaching: config.enable_prefix_caching ?? null,
    dtype: config.dtype ?? null,
    vllmVersion: config.vllm_version ?? null,
  };
}
