import { comparedRequest } from "../../../../../eval/diff/comparedRequest.js";
import type { ComparedRequest, ComparedRun } from "../../../../../src/core/analysis/diff/comparedRun.js";
import { StepLogExplainer } from "../../../../../src/core/analysis/stepLogExplainer.js";
import { loggedRun } from "../loggedRun.js";

/** A simulated run as the comparison takes it, with or without its step log. */
export function comparedRun(name: string, input: object, isLogged = true): ComparedRun {
  const { summary, records, specs, header, steps } = loggedRun(input);
  const explainer = new StepLogExplainer(header);
  for (const step of steps) explainer.add(step);
  const requests = records.map((record, i) => comparedRequest(record, specs[i]?.maxTokens ?? 0));
  return { name, summary, requests, steps: isLogged ? explainer.report() : null };
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
