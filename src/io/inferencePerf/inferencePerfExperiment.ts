import { existsSync } from "node:fs";
import { basename, join, resolve } from "node:path";
import { DataFileError } from "../../core/errors/simulationError.js";
import {
  exclusionReason,
  type MeasuredExperiment,
  type MeasuredRequest,
  type MeasuredRun,
} from "../../core/metrics/measuredExperiment.js";
import type { RequestSpec } from "../../core/request/requestSpec.js";
import { MS_PER_S, US_PER_S } from "../../core/units/units.js";
import { readServerConfig } from "../dataFile/serverConfig.js";
import { type ClientConfig, readClientConfig } from "./clientConfig.js";
import { readLifecycleMetrics } from "./lifecycleMetrics.js";
import { readPerRequestFile } from "./perRequestFile.js";
import { type RecordedRequest, type ReplayFile, readReplayFile, recordedRequests } from "./replayFile.js";
import { inferencePerfSpecs } from "./requestSpecs.js";
import { measuredStages } from "./stages.js";

/** Whether a folder looks like an inference-perf experiment. */
export function isInferencePerfFolder(folder: string): boolean {
  return (
    existsSync(join(folder, "replay.json")) ||
    existsSync(join(folder, "results", "summary_lifecycle_metrics.json")) ||
    existsSync(join(folder, "results", "per_request_lifecycle_metrics.json"))
  );
}

/**
 * Reads an inference-perf experiment: `results/config.yaml` (what the client really did), `replay.json` (arrivals,
 * lengths, engine limits), and where present `exp-config.yaml` (the server), `ground_truth.json` (latencies) and
 * `results/*_lifecycle_metrics.json` (aggregates). `per_request_lifecycle_metrics.json` stands in for replay.json.
 * @throws DataFileError
 */
export function readInferencePerfExperiment(folder: string): MeasuredExperiment {
  const results = join(folder, "results");
  const client = readClientConfig(join(results, "config.yaml"));
  const server = readServerConfig(join(folder, "exp-config.yaml"));
  const { replay, requests } = readRequests(folder);
  const { specs, notes } = inferencePerfSpecs(requests, client);
  const model = server.model ?? client.model ?? replay?.model_id;
  if (model === undefined) {
    throw new DataFileError(
      { file: join(folder, "exp-config.yaml"), column: "model" },
      "nothing says which model was served; add `model: <Hugging Face id>`",
    );
  }
  const tensorParallelSize = server.tensorParallelSize ?? replay?.config.tensor_parallelism ?? null;
  if (tensorParallelSize === null) notes.push("no file says the tensor parallel size: taken as 1");
  const name = replay?.experiment ?? basename(resolve(folder));
  return {
    name,
    model,
    gpu: server.gpu ?? replay?.config.gpu ?? replay?.gpu ?? null,
    tensorParallelSize: tensorParallelSize ?? 1,
    engine: {
      maxModelLen: server.maxModelLen ?? replay?.config.max_model_len ?? null,
      maxNumSeqs: server.maxNumSeqs ?? replay?.config.max_num_seqs ?? null,
      maxNumBatchedTokens: server.maxNumBatchedTokens ?? replay?.config.max_num_batched_tokens ?? null,
      blockSize: server.blockSize ?? replay?.config.block_size ?? null,
      numGpuBlocks: server.numGpuBlocks ?? (replay?.config.kv_blocks_total_gpu || null),
      vllmVersion: server.vllmVersion ?? replay?.config.vllm_version ?? null,
      enablePrefixCaching: server.enablePrefixCaching,
      dtype: server.dtype,
    },
    sampling: { topP: null, topK: null, temperature: null },
    client: "inference-perf",
    runs: [measuredRun(name, results, client, requests, specs)],
    notes,
  };
}

function readRequests(folder: string): { replay: ReplayFile | null; requests: RecordedRequest[] } {
  const replayFile = join(folder, "replay.json");
  const perRequestFile = join(folder, "results", "per_request_lifecycle_metrics.json");
  if (!existsSync(replayFile) && existsSync(perRequestFile)) {
    return { replay: null, requests: readPerRequestFile(perRequestFile) };
  }
  const replay = readReplayFile(replayFile);
  return { replay, requests: recordedRequests(replay, replayFile, join(folder, "ground_truth.json")) };
}

function measuredRun(
  name: string,
  results: string,
  client: ClientConfig,
  requests: readonly RecordedRequest[],
  specs: readonly RequestSpec[],
): MeasuredRun {
  const arrivalsUs = requests.map((request) => request.arrivalUs);
  const summary = readLifecycleMetrics(join(results, "summary_lifecycle_metrics.json"), client.outputTokens);
  const [onlyStage, ...otherStages] = client.stages;
  const numFailed = requests.filter((request) => request.hasError).length;
  const isMeasured = requests.some((request) => !Number.isNaN(request.e2eS));
  return {
    name,
    closedLoopConcurrency: otherStages.length === 0 ? (onlyStage?.concurrency ?? null) : null,
    specs,
    measured: isMeasured ? requests.map((request, i) => measuredRequest(request, specs[i] as RequestSpec)) : [],
    stages: measuredStages(results, client.stages, arrivalsUs, client.outputTokens),
    aggregates: summary?.aggregates ?? null,
    outputTokensPerS: outputTokensPerS(requests, specs),
    excluded: isMeasured
      ? exclusionReason(numFailed, requests.length, "at the client's timeout")
      : "no measured latencies: ground_truth.json is missing",
  };
}

function measuredRequest(request: RecordedRequest, spec: RequestSpec): MeasuredRequest {
  const ttftMs = request.ttftS * MS_PER_S;
  const e2eMs = request.e2eS * MS_PER_S;
  const itlMs = spec.maxTokens > 1 ? (e2eMs - ttftMs) / (spec.maxTokens - 1) : Number.NaN;
  return { ttftMs, e2eMs, itlMs, failed: request.hasError };
}

/** Tokens of the requests that succeeded, over first arrival to last end, failed ones included in the span. */
function outputTokensPerS(requests: readonly RecordedRequest[], specs: readonly RequestSpec[]): number | null {
  let endS = Number.NEGATIVE_INFINITY;
  let numTokens = 0;
  requests.forEach((request, i) => {
    const requestEndS = request.arrivalUs / US_PER_S + request.e2eS;
    if (requestEndS > endS) endS = requestEndS;
    if (!request.hasError) numTokens += (specs[i] as RequestSpec).maxTokens;
  });
  const spanS = endS - (requests[0]?.arrivalUs ?? 0) / US_PER_S;
  return spanS > 0 && spanS < Number.POSITIVE_INFINITY ? numTokens / spanS : null;
}
