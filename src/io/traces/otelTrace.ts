import { DataFileError } from "../../core/errors/simulationError.js";
import { jsonlRecords } from "./jsonlRecords.js";
import { TraceRecord } from "./traceRecord.js";
import { publishedLengths, type TraceRow, type TraceTally } from "./traceRow.js";

const PROMPT_TOKENS = "gen_ai.usage.prompt_tokens";
const OUTPUT_TOKENS = "gen_ai.usage.completion_tokens";
const REQUEST_ID = "gen_ai.request.id";
const SPAN_NAME = "llm_request";

interface Span {
  readonly name?: unknown;
  readonly startTimeUnixNano?: unknown;
  readonly attributes?: unknown;
}

/** vLLM's OpenTelemetry spans, line-delimited OTLP JSON: one span per finished request, in order of completion. */
export function* otelRows(file: string, tally: TraceTally): Generator<TraceRow> {
  for (const batch of jsonlRecords(file)) {
    for (const span of spansOf(batch)) {
      if (span.name !== SPAN_NAME) continue;
      tally.numRows++;
      const attributes = new TraceRecord(file, batch.row, attributesOf(span));
      const lengths = publishedLengths(attributes, PROMPT_TOKENS, OUTPUT_TOKENS, tally);
      if (lengths === null) continue;
      const id = attributes.has(REQUEST_ID) ? { id: attributes.text(REQUEST_ID) } : {};
      yield { row: batch.row, arrivalUs: startUs(file, batch.row, span), ...lengths, ...id };
    }
  }
}

function spansOf(batch: TraceRecord): Span[] {
  const list = (value: unknown): Record<string, unknown>[] => (Array.isArray(value) ? value : []);
  if (!Array.isArray(batch.raw("resourceSpans"))) {
    throw batch.error("resourceSpans", "must be a list: each line is one OTLP batch of spans");
  }
  return list(batch.raw("resourceSpans")).flatMap((resource) =>
    list(resource.scopeSpans).flatMap((scope) => list(scope.spans)),
  );
}

/** Attributes by key; integers come as decimal text. */
function attributesOf(span: Span): Record<string, unknown> {
  const fields: Record<string, unknown> = {};
  for (const { key, value } of Array.isArray(span.attributes) ? span.attributes : []) {
    fields[String(key)] = value?.intValue ?? value?.doubleValue ?? value?.stringValue;
  }
  return fields;
}

/** Nanoseconds since 1970 do not fit a double, so they are divided as a BigInt. */
function startUs(file: string, row: number, span: Span): number {
  const nanos = span.startTimeUnixNano;
  if (!/^\d{1,19}$/.test(String(nanos))) {
    const location = { file, row, column: "startTimeUnixNano" };
    throw new DataFileError(
      location,
      `got ${JSON.stringify(nanos) ?? "nothing"}; must be nanoseconds since 1970, as text`,
    );
  }
  return Number((BigInt(nanos as string) + 500n) / 1000n);
}
