import * as z from "zod";
import { DataFileError } from "../../core/errors/simulationError.js";
import { checkData, readDataText, readOptionalDataText } from "../dataFile/dataFile.js";
import { parseJson } from "../structuredFile.js";

const MAX_COUNT = 1e12;
const MAX_ARRIVAL_US = 1e15;

const count = z.number().int().min(0).max(MAX_COUNT);
const positive = z.number().int().min(1).max(MAX_COUNT);
const durationS = z.number().min(0);

/** A request of replay.json. */
export const replayRowSchema = z.object({
  index: count.optional(),
  arrival_time_us: z.number().min(0).max(MAX_ARRIVAL_US),
  input_tokens: count,
  output_tokens: count.nullish(),
  prefix_group: z.string().nullish(),
  has_error: z.boolean().default(false),
});

const replaySchema = z.object({
  experiment: z.string().optional(),
  model_id: z.string().optional(),
  gpu: z.string().nullish(),
  config: z
    .object({
      gpu: z.string().nullish(),
      tensor_parallelism: positive.nullish(),
      max_model_len: positive.nullish(),
      max_num_seqs: positive.nullish(),
      max_num_batched_tokens: positive.nullish(),
      kv_blocks_total_gpu: count.nullish(),
      block_size: positive.nullish(),
      system_prompt_len: count.nullish(),
      vllm_version: z.string().nullish(),
    })
    .default({}),
  requests: z.array(replayRowSchema).min(1, "at least one request"),
});

/** A request of ground_truth.json. */
export const truthRowSchema = z.object({
  index: count,
  has_error: z.boolean().default(false),
  e2e_s: durationS.nullish(),
  ttft_s: durationS.nullish(),
});

type ReplayRow = z.output<typeof replayRowSchema>;
type TruthRow = z.output<typeof truthRowSchema>;

export type ReplayFile = z.output<typeof replaySchema>;

/** One request as the client recorded it, whichever file it came from; times NaN where absent. */
export interface RecordedRequest {
  /** Position in the client's own order; decides the prompt of a cycled dataset. */
  readonly index: number;
  readonly arrivalUs: number;
  /** The client's own count; 0 for a failed request. */
  readonly inputTokens: number;
  /** The client's re-tokenised count of the text it got; 0 when unknown. Not the true length. */
  readonly outputTokens: number;
  /** Name of the shared system prompt, empty when unknown. */
  readonly prefixGroup: string;
  /** What tells two prompts apart, where the file holds their text; else null. */
  readonly promptText: string | null;
  readonly hasError: boolean;
  readonly e2eS: number;
  readonly ttftS: number;
}

/** @throws DataFileError */
export function readReplayFile(file: string): ReplayFile {
  const text = readDataText(file, "an inference-perf folder needs it: arrivals, prompt lengths and engine limits");
  const input = parseJson(text, file);
  const remedy = "correct the file or export the run again";
  const { requests } = (input ?? {}) as { requests?: unknown };
  if (!areAll(requests, isSoundReplayRow)) return checkData(replaySchema, input, file, remedy);
  const checked = checkData(replaySchema, { ...(input as object), requests: requests.slice(0, 1) }, file, remedy);
  return { ...checked, requests };
}

/**
 * Whether a row of thousands is surely as `replayRowSchema` has it, in a tenth of the schema's time. Where it is not,
 * the schema says what is wrong, or fills in what is missing.
 */
export function isSoundReplayRow(row: unknown): row is ReplayRow {
  if (typeof row !== "object" || row === null) return false;
  const { index, arrival_time_us, input_tokens, output_tokens, prefix_group, has_error } = row as Partial<ReplayRow>;
  return (
    (index === undefined || isCount(index)) &&
    isNumberUpTo(arrival_time_us, MAX_ARRIVAL_US) &&
    isCount(input_tokens) &&
    (output_tokens == null || isCount(output_tokens)) &&
    (prefix_group == null || typeof prefix_group === "string") &&
    typeof has_error === "boolean"
  );
}

/** The same for `truthRowSchema`. */
export function isSoundTruthRow(row: unknown): row is TruthRow {
  if (typeof row !== "object" || row === null) return false;
  const { index, has_error, e2e_s, ttft_s } = row as Partial<TruthRow>;
  return (
    isCount(index) &&
    typeof has_error === "boolean" &&
    (e2e_s == null || isNumberUpTo(e2e_s, Number.MAX_VALUE)) &&
    (ttft_s == null || isNumberUpTo(ttft_s, Number.MAX_VALUE))
  );
}

function areAll<T>(rows: unknown, isSound: (row: unknown) => row is T): rows is T[] {
  return Array.isArray(rows) && rows.length > 0 && rows.every(isSound);
}

function isCount(value: unknown): boolean {
  return isNumberUpTo(value, MAX_COUNT) && Number.isInteger(value);
}

function isNumberUpTo(value: unknown, max: number): boolean {
  return typeof value === "number" && value >= 0 && value <= max;
}

/**
 * The replay's requests with their measured latencies, by arrival.
 * @param groundTruthFile may be missing: the latencies are then NaN
 * @throws DataFileError when the two files do not describe the same requests
 */
export function recordedRequests(replay: ReplayFile, replayFile: string, groundTruthFile: string): RecordedRequest[] {
  const truth = readGroundTruth(groundTruthFile);
  const seen = new Set<number>();
  const requests = replay.requests.map((request, position): RecordedRequest => {
    const index = request.index ?? position;
    if (seen.has(index)) {
      throw new DataFileError(
        { file: replayFile, column: `requests[${position}].index` },
        `index ${index} appears twice`,
      );
    }
    seen.add(index);
    const row = truth?.get(index);
    if (truth !== null && row === undefined) {
      throw new DataFileError(
        { file: groundTruthFile },
        `no row for request ${index} of replay.json; both files must hold the same requests`,
      );
    }
    return {
      index,
      arrivalUs: Math.round(request.arrival_time_us),
      inputTokens: request.input_tokens,
      outputTokens: request.output_tokens ?? 0,
      prefixGroup: request.prefix_group ?? "",
      promptText: null,
      hasError: request.has_error || (row?.has_error ?? false),
      e2eS: row?.e2e_s ?? Number.NaN,
      ttftS: row?.ttft_s ?? Number.NaN,
    };
  });
  if (truth !== null && truth.size !== requests.length) {
    throw new DataFileError(
      { file: groundTruthFile },
      `holds ${truth.size} requests, replay.json ${requests.length}; both files must hold the same requests`,
    );
  }
  return requests.sort((a, b) => a.arrivalUs - b.arrivalUs || a.index - b.index);
}

function readGroundTruth(file: string): Map<number, TruthRow> | null {
  const text = readOptionalDataText(file);
  if (text === null) return null;
  const input = parseJson(text, file);
  const rows = areAll(input, isSoundTruthRow)
    ? input
    : checkData(z.array(truthRowSchema), input, file, "correct the file or remove it");
  const byIndex = new Map<number, TruthRow>();
  for (let position = 0; position < rows.length; position++) {
    const row = rows[position]!;
    byIndex.set(row.index, row);
    if (!row.has_error && (row.e2e_s == null || row.ttft_s == null)) {
      const column = `[${position}].${row.e2e_s == null ? "e2e_s" : "ttft_s"}`;
      throw new DataFileError({ file, column }, "missing for a request without error; give seconds, or set has_error");
    }
  }
  return byIndex;
}
