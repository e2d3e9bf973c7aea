import type { ComparedRequest, ComparedRun } from "../../../../../src/core/analysis/diff/comparedRun.js";
import { StepLogExplainer } from "../../../../../src/core/analysis/stepLogExplainer.js";
import type { RequestRecord } from "../../../../../src/core/metrics/requestRecord.js";
import { e2eMs, interTokenMs, ttftMs } from "../../../../../src/core/metrics/runMetrics.js";
import { loggedRun } from "../loggedRun.js";

/** A simulated run as the comparison takes it, with or without its step log. */
export function comparedRun(name: string, input: object, isLogged = true): ComparedRun {
  const { summary, records, specs, header, steps } = loggedRun(input);
  const explainer = new StepLogExplainer(header);
  for (const step of steps) explainer.add(step);
  const requests = records.map((record, i) => comparedRequest(record, specs[i]?.maxTokens ?? 0));
  return { name, summary, requests, steps: isLogged ? explainer.report() : null };
}

function comparedRequest(record: RequestRecord, maxTokens: number): ComparedRequest {
  const prefillMs = (record.firstTokenUs - record.firstScheduledUs) / 1000;
  return {
    id: record.id,
    status: record.status,
    arrivalUs: record.arrivalUs,
    numPromptTokens: record.numPromptTokens,
    maxTokens,
    waitingMs: ttftMs(record) - prefillMs,
    prefillMs,
    decodeMs: e2eMs(record) - ttftMs(record),
    interTokenMs: interTokenMs(record),
  };
}

/** The run with every request's decode changed. */
export function withDecode(
  run: ComparedRun,
  changeMs: (request: ComparedRequest, index: number) => number,
): ComparedRun {
  const requests = (run.requests ?? []).map((request, i) => ({
    ...request,
    decodeMs: request.decodeMs + changeMs(request, i),
  }));
  return { ...run, requests };
}
