import * as z from "zod";
import { US_PER_S } from "../../core/units/units.js";
import { checkData, readDataText } from "../dataFile/dataFile.js";
import { parseJson } from "../structuredFile.js";
import type { RecordedRequest } from "./replayFile.js";

const count = z.number().int().min(0).max(1e12);
const stamps = z.array(z.number()).nullish();

const perRequestSchema = z
  .array(
    z.object({
      start_time: z.number(),
      end_time: z.number(),
      request: z.string().nullish(),
      error: z.unknown().optional(),
      info: z
        .object({
          input_tokens: count.nullish(),
          output_tokens: count.nullish(),
          output_token_times: stamps,
          request_metrics: z.object({ text: z.object({ input_tokens: count.nullish() }).nullish() }).nullish(),
          response_metrics: z.object({ output_tokens: count.nullish(), output_token_times: stamps }).nullish(),
        })
        .nullish(),
    }),
  )
  .min(1, "at least one request");

/**
 * Reads `per_request_lifecycle_metrics.json`, old (≤ 0.2) and new layout. Its clock is monotonic, so only
 * differences mean anything: arrivals count from the first start. The first time stamp is the first token in both.
 * @throws DataFileError
 */
export function readPerRequestFile(file: string): RecordedRequest[] {
  const text = readDataText(file, "an inference-perf folder without replay.json needs it");
  const rows = checkData(perRequestSchema, parseJson(text, file), file, "correct the file or export the run again");
  const sorted = [...rows].sort((a, b) => a.start_time - b.start_time);
  const startS = sorted[0]?.start_time ?? 0;
  return sorted.map((row, index): RecordedRequest => {
    const { info } = row;
    const times = info?.response_metrics?.output_token_times ?? info?.output_token_times ?? [];
    return {
      index,
      arrivalUs: Math.round((row.start_time - startS) * US_PER_S),
      inputTokens: info?.request_metrics?.text?.input_tokens ?? info?.input_tokens ?? 0,
      outputTokens: info?.response_metrics?.output_tokens ?? info?.output_tokens ?? 0,
      prefixGroup: "",
      promptText: promptOf(row.request ?? null),
      hasError: row.error != null,
      e2eS: row.end_time - row.start_time,
      ttftS: times[0] === undefined ? Number.NaN : times[0] - row.start_time,
    };
  });
}

/** The prompt inside the request body, which is JSON in a string; null when there is none. */
function promptOf(request: string | null): string | null {
  if (request === null) return null;
  try {
    const body = JSON.parse(request) as { prompt?: unknown; messages?: unknown };
    if (typeof body.prompt === "string") return body.prompt;
    return body.messages === undefined ? null : JSON.stringify(body.messages);
  } catch {
    return null;
  }
}
