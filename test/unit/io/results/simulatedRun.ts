import type { RequestRecord, RequestStatus } from "../../../../src/core/metrics/requestRecord.js";
import { type RequestSpec, requestSpec } from "../../../../src/core/request/requestSpec.js";
import { contentId } from "../../../../src/core/workload/contentIds.js";

export interface SimulatedRun {
  readonly records: readonly RequestRecord[];
  readonly specs: readonly RequestSpec[];
}

/** A made-up run with every outcome, shared prefixes, sessions, odd ids and one-token outputs; same arguments, same run. */
export function simulatedRun(numRequests: number, seed: number): SimulatedRun {
  const records: RequestRecord[] = [];
  const specs: RequestSpec[] = [];
  for (let i = 0; i < numRequests; i++) {
    const draw = (i + 1) * 7919 + seed * 104_729;
    const arrivalUs = i * 50_000 + (draw % 977);
    const id = draw % 5 === 0 ? `odd, "id" ${i}` : `req-${i}`;
    const spec = requestSpec({
      id,
      arrivalUs,
      promptSegments: [
        { contentId: contentId("prefix", draw % 3), numTokens: 64 },
        { contentId: contentId("prompt", i), numTokens: 1 + (draw % 400) },
      ],
      maxTokens: 1 + (draw % 200),
      outputContentId: contentId("output", i),
      timeoutUs: draw % 2 === 0 ? 300_000_000 : Number.POSITIVE_INFINITY,
      sessionId: draw % 4 === 0 ? `s${draw % 7}` : null,
      lora: draw % 9 === 0 ? "adapter" : null,
      priority: draw % 3,
    });
    specs.push(spec);
    records.push(recordOf(spec, draw));
  }
  return { records, specs };
}

function recordOf(spec: RequestSpec, draw: number): RequestRecord {
  const status: RequestStatus =
    draw % 11 === 5 ? "rejected" : draw % 13 === 7 ? "aborted" : draw % 17 === 2 ? "unfinished" : "completed";
  const numOutputTokens =
    status === "completed" ? spec.maxTokens : status === "rejected" ? 0 : Math.min(3, spec.maxTokens);
  const firstTokenUs = spec.arrivalUs + 20_000 + (draw % 5000);
  const isServed = numOutputTokens > 0;
  return {
    id: spec.id,
    sessionId: spec.sessionId,
    status,
    reason: status === "completed" ? null : 'because, "so"',
    arrivalUs: spec.arrivalUs,
    firstScheduledUs: isServed ? spec.arrivalUs + 9_000 : Number.NaN,
    firstTokenUs: isServed ? firstTokenUs : Number.NaN,
    lastTokenUs: isServed ? firstTokenUs + (numOutputTokens - 1) * (8_000 + (draw % 97)) : Number.NaN,
    queueUs: isServed ? 7_000 : Number.NaN,
    numPromptTokens: spec.numPromptTokens,
    numCachedTokens: draw % 2 === 0 ? 64 : 0,
    numOutputTokens,
    numPreemptions: draw % 19 === 0 ? 1 : 0,
  };
}
