import * as z from "zod";
import {
  exclusionReason,
  type MeasuredExperiment,
  type MeasuredRequest,
} from "../../core/metrics/measuredExperiment.js";
import { type RequestSpec, requestSpec } from "../../core/request/requestSpec.js";
import { MS_PER_S, US_PER_MS, US_PER_S } from "../../core/units/units.js";
import { contentId } from "../../core/workload/contentIds.js";
import { checkData, readDataText } from "../dataFile/dataFile.js";
import { parseJson } from "../structuredFile.js";

export const GROUND_TRUTH_SCHEMA_ID = "roofserve.ground-truth/1";

const positive = z.number().int().min(1).max(1e9);

const requestSchema = z.strictObject({
  id: z.string().optional().describe("default: its position"),
  arrivalS: z.number().min(0).max(1e9).describe("when the client sent it, seconds from the start of the run"),
  promptTokens: positive,
  outputTokens: positive.describe("tokens the server really generated, or would have"),
  promptId: z
    .union([z.string(), z.number().int()])
    .optional()
    .describe("requests with the same id sent the same prompt; default: a prompt of its own"),
  ttftMs: z.number().min(0).nullable().default(null),
  e2eMs: z.number().min(0).nullable().default(null),
  status: z.enum(["completed", "failed"]).default("completed"),
});

const experimentSchema = z.strictObject({
  name: z.string().min(1),
  model: z.string().min(1).describe("Hugging Face id"),
  gpu: z.string().min(1).nullable().default(null).describe("as in `roofserve gpus`"),
  tensorParallelSize: positive.default(1),
  engine: z
    .strictObject({
      maxModelLen: positive.nullable().default(null),
      maxNumSeqs: positive.nullable().default(null),
      maxNumBatchedTokens: positive.nullable().default(null),
      blockSize: positive.nullable().default(null),
      numGpuBlocks: positive.nullable().default(null),
      enablePrefixCaching: z.boolean().nullable().default(null),
      dtype: z.string().nullable().default(null),
    })
    .prefault({}),
  sampling: z
    .strictObject({
      topP: z.number().gt(0).max(1).nullable().default(null),
      topK: z.number().int().min(-1).nullable().default(null),
      temperature: z.number().min(0).nullable().default(null),
    })
    .prefault({}),
  vllmVersion: z.string().nullable().default(null),
  client: z.enum(["inference-perf", "guidellm", "roofserve"]).default("roofserve").describe("benchmark tool"),
  timeoutS: z.number().positive().optional().describe("the client gave up after this long; default: never"),
  closedLoopConcurrency: positive.nullable().default(null).describe("requests in flight at most; null = open loop"),
  requests: z.array(requestSchema).min(1, "at least one request"),
});

/**
 * The combined ground-truth file: any number of experiments with everything a comparison needs, whatever tool
 * measured them.
 *
 *     {"schema": "roofserve.ground-truth/1",
 *      "experiments": [{"name", "model", "gpu", "tensorParallelSize",
 *        "engine": {"maxModelLen", "maxNumSeqs", "maxNumBatchedTokens", "blockSize", "numGpuBlocks",
 *                   "enablePrefixCaching", "dtype"},
 *        "sampling": {"topP", "topK", "temperature"}, "vllmVersion", "client", "timeoutS", "closedLoopConcurrency",
 *        "requests": [{"id", "arrivalS", "promptTokens", "outputTokens", "promptId", "ttftMs", "e2eMs", "status"}]}]}
 *
 * Required: `name`, `model`, and of each request `arrivalS`, `promptTokens`, `outputTokens`, plus `ttftMs` and `e2eMs`
 * when it completed. Everything else has a default; unknown keys are errors.
 */
export const groundTruthSchema = z.strictObject({
  schema: z.literal(GROUND_TRUTH_SCHEMA_ID),
  experiments: z.array(experimentSchema).min(1, "at least one experiment"),
});

type GroundTruthExperiment = z.output<typeof experimentSchema>;
type GroundTruthRequest = GroundTruthExperiment["requests"][number];

/** @throws DataFileError */
export function readGroundTruthFile(file: string): MeasuredExperiment[] {
  const text = readDataText(file, `give a file of schema ${GROUND_TRUTH_SCHEMA_ID}`);
  const remedy = `see the schema ${GROUND_TRUTH_SCHEMA_ID}`;
  const data = checkData(groundTruthSchema, parseJson(text, file), file, remedy);
  return data.experiments.map(measuredExperiment);
}

function measuredExperiment(experiment: GroundTruthExperiment): MeasuredExperiment {
  const { name, model, gpu, tensorParallelSize, engine, sampling, vllmVersion, client } = experiment;
  const requests = [...experiment.requests].sort((a, b) => a.arrivalS - b.arrivalS);
  const specs = specsOf(requests, experiment.timeoutS);
  const measured = requests.map(measuredRequest);
  const run = {
    name,
    closedLoopConcurrency: experiment.closedLoopConcurrency,
    specs,
    measured,
    stages: [{ name, firstIndex: 0, endIndex: specs.length, requestsPerS: null, aggregates: null }],
    aggregates: null,
    outputTokensPerS: outputTokensPerS(requests),
    excluded: exclusionReason(measured.filter((request) => request.failed).length, requests.length, "in the file"),
  };
  return {
    name,
    model,
    gpu,
    tensorParallelSize,
    engine: { ...engine, vllmVersion },
    sampling,
    client,
    runs: [run],
    notes: [],
  };
}

function specsOf(requests: readonly GroundTruthRequest[], timeoutS: number | undefined): RequestSpec[] {
  const promptIds = new Map<string | number, number>();
  return requests.map((request, i) => {
    let promptContentId = contentId("prompt", i);
    if (request.promptId !== undefined) {
      promptContentId = promptIds.get(request.promptId) ?? contentId("named", promptIds.size);
      promptIds.set(request.promptId, promptContentId);
    }
    return requestSpec({
      id: request.id ?? String(i),
      arrivalUs: Math.round(request.arrivalS * US_PER_S),
      promptSegments: [{ contentId: promptContentId, numTokens: request.promptTokens }],
      maxTokens: request.outputTokens,
      outputContentId: contentId("output", i),
      timeoutUs: timeoutS === undefined ? Number.POSITIVE_INFINITY : Math.round(timeoutS * US_PER_S),
    });
  });
}

function measuredRequest(request: GroundTruthRequest): MeasuredRequest {
  const ttftMs = request.ttftMs ?? Number.NaN;
  const e2eMs = request.e2eMs ?? Number.NaN;
  const itlMs = request.outputTokens > 1 ? (e2eMs - ttftMs) / (request.outputTokens - 1) : Number.NaN;
  const isMissing = Number.isNaN(ttftMs) || Number.isNaN(e2eMs);
  return { ttftMs, e2eMs, itlMs, failed: request.status === "failed" || isMissing };
}

function outputTokensPerS(requests: readonly GroundTruthRequest[]): number | null {
  let endMs = Number.NEGATIVE_INFINITY;
  let numTokens = 0;
  for (const request of requests) {
    if (request.e2eMs === null) continue;
    endMs = Math.max(endMs, request.arrivalS * MS_PER_S + request.e2eMs);
    if (request.status === "completed") numTokens += request.outputTokens;
  }
  const spanMs = endMs - (requests[0]?.arrivalS ?? 0) * MS_PER_S;
  return spanMs > 0 && Number.isFinite(spanMs) ? numTokens / ((spanMs * US_PER_MS) / US_PER_S) : null;
}
