import { existsSync, statSync } from "node:fs";
import { join } from "node:path";
import type * as z from "zod";
import type { ComparedRequest, ComparedRun, ComparedSummary } from "../../core/analysis/diff/comparedRun.js";
import { StepLogExplainer } from "../../core/analysis/stepLogExplainer.js";
import { printValue } from "../../core/config/parseConfig.js";
import { DataFileError } from "../../core/errors/simulationError.js";
import { MS_PER_S, US_PER_S } from "../../core/units/units.js";
import { checkData, readDataText } from "../dataFile/dataFile.js";
import { openStepLog } from "../results/readStepLog.js";
import { parseJson } from "../structuredFile.js";
import { jsonlObjects } from "../traces/jsonlRecords.js";
import { comparedRequestSchema, comparedSummarySchema } from "./comparedSchemas.js";

const RUN_SCHEMA = "roofserve.run/1";
const REMEDY = "give a folder that run --out wrote, or a result of run --format json";
/** Name of a step log that lies with a run's files. */
const STEP_LOG_NAME = "steps.jsonl";

/**
 * Reads one side of a comparison: the folder of a run (its summary, its requests, and a step log `steps.jsonl` where one
 * lies there), or the summary alone.
 * @throws DataFileError for what is no run's result, naming what it is where that can be told
 */
export function readComparedRun(path: string): ComparedRun {
  if (!existsSync(path)) throw new DataFileError({ file: path }, `no such file or folder; ${REMEDY}`);
  const isFolder = statSync(path).isDirectory();
  const file = isFolder ? join(path, "summary.json") : path;
  if (isFolder && !existsSync(file)) throw new DataFileError({ file: path }, `holds no summary.json; ${REMEDY}`);
  const summary = readSummary(file);
  if (!isFolder) return { name: path, summary, requests: null, steps: null };
  const requests = join(path, "requests.jsonl");
  const stepLog = join(path, STEP_LOG_NAME);
  return {
    name: path,
    summary,
    requests: existsSync(requests) ? readRequests(requests) : null,
    steps: existsSync(stepLog) ? readSteps(stepLog, summary) : null,
  };
}

function readSummary(file: string): ComparedSummary {
  const text = readDataText(file, REMEDY);
  const [firstLine = ""] = text.split("\n", 1);
  if (/^\{"schema":"roofserve\.step-log\//.test(firstLine)) {
    const problem = `is a step log; put it beside summary.json as ${STEP_LOG_NAME} and give the folder`;
    throw new DataFileError({ file }, problem);
  }
  const input = parseJson(text, file);
  const schema = typeof input === "object" && input !== null && "schema" in input ? input.schema : undefined;
  if (schema !== RUN_SCHEMA) throw new DataFileError({ file, column: "schema" }, otherKind(schema));
  return checkData(
    comparedSummarySchema,
    input,
    file,
    "write it again with this version",
  ) as unknown as ComparedSummary;
}

function otherKind(schema: unknown): string {
  const isOtherVersion = typeof schema === "string" && schema.startsWith("roofserve.run/");
  const what = isOtherVersion ? `; that is a result of another version of roofserve, simulate it again` : "";
  return `got ${printValue(schema)}; must be ${RUN_SCHEMA}${what}; ${REMEDY}`;
}

function readRequests(file: string): ComparedRequest[] {
  const requests: ComparedRequest[] = [];
  for (const { row, fields } of jsonlObjects(file)) {
    const request = checkData(comparedRequestSchema, fields, { file, row }, "write or copy the run's folder again");
    requests.push(comparedRequest(request));
  }
  return requests;
}

function comparedRequest(row: z.output<typeof comparedRequestSchema>): ComparedRequest {
  const [ttftMs, prefillMs] = [row.ttft_ms ?? Number.NaN, row.prefill_ms ?? Number.NaN];
  return {
    id: row.request_id,
    status: row.status,
    arrivalUs: Math.round(row.arrival_s * US_PER_S),
    numPromptTokens: row.prompt_tokens,
    maxTokens: row.max_tokens ?? row.output_tokens,
    waitingMs: ttftMs - prefillMs,
    prefillMs,
    decodeMs: (row.e2e_s ?? Number.NaN) * MS_PER_S - ttftMs,
    interTokenMs: row.itl_ms ?? Number.NaN,
  };
}

/** @throws DataFileError where the log is of another run than the summary */
function readSteps(file: string, { config, engine }: ComparedSummary): ComparedRun["steps"] {
  const { header, steps } = openStepLog(file);
  const explainer = new StepLogExplainer(header);
  for (const step of steps) explainer.add(step);
  const report = explainer.report();
  const { seed } = header.config;
  if (
    report.steps !== engine.steps ||
    report.gpu !== config.gpu ||
    report.model !== config.model ||
    seed !== config.seed
  ) {
    throw new DataFileError({ file }, "is the step log of another run than summary.json beside it; remove it");
  }
  return report;
}
