import { existsSync } from "node:fs";
import { join } from "node:path";
import type * as z from "zod";
import type { ComparedRequest, ComparedRun, ComparedSummary } from "../../core/analysis/diff/comparedRun.js";
import { StepLogExplainer } from "../../core/analysis/stepLogExplainer.js";
import { DataFileError } from "../../core/errors/simulationError.js";
import { MS_PER_S, US_PER_S } from "../../core/units/units.js";
import { checkData } from "../dataFile/dataFile.js";
import { openStepLog } from "../results/readStepLog.js";
import { jsonlObjects } from "../traces/jsonlRecords.js";
import { comparedRequestSchema, comparedSummarySchema } from "./comparedSchemas.js";
import { type OpenResult, STEP_LOG_NAME } from "./openResult.js";

/**
 * Checks what is compared of a run, and reads what lies beside its summary: its requests, and a step log `steps.jsonl`.
 * @throws DataFileError
 */
export function readComparedRun({ path, file, folder, content }: OpenResult): ComparedRun {
  const summary = checkData(
    comparedSummarySchema,
    content,
    file,
    "write it again with this version",
  ) as unknown as ComparedSummary;
  if (folder === null) return { name: path, summary, requests: null, steps: null };
  const requests = join(folder, "requests.jsonl");
  const stepLog = join(folder, STEP_LOG_NAME);
  return {
    name: path,
    summary,
    requests: existsSync(requests) ? readRequests(requests) : null,
    steps: existsSync(stepLog) ? readSteps(stepLog, summary) : null,
  };
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
