import type { ComparedRequest, ComparedRun } from "./comparedRun.js";

/** One request in two runs. */
export interface RequestPair {
  readonly a: ComparedRequest;
  readonly b: ComparedRequest;
  /** When it was sent, µs; where clients wait for answers the runs differ in it, and this is half-way. */
  readonly arrivalUs: number;
}

/** Requests of two runs, one beside the other; or why they cannot be. */
export type Pairing =
  | {
      readonly isPaired: true;
      /** Completed in both runs, in order of arrival. */
      readonly pairs: readonly RequestPair[];
      /** Completed in one run alone: their latencies have nothing to stand beside. */
      readonly numOnlyA: number;
      readonly numOnlyB: number;
    }
  | { readonly isPaired: false; readonly reason: string };

/** A request of A and that of B with its id. */
type Shared = readonly [ComparedRequest, ComparedRequest];

/**
 * Pairs requests by id. Two runs served the same requests where workload and seed are equal and so are the requests'
 * sizes, or where every request has its like in the other run, sent at the same time.
 */
export function pairRequests(a: ComparedRun, b: ComparedRun): Pairing {
  if (a.requests === null || b.requests === null) {
    const missing = [a, b].filter(({ requests }) => requests === null).map(({ name }) => name);
    return { isPaired: false, reason: `no requests.jsonl with ${missing.join(" and ")}; run --out writes one` };
  }
  const ofB = new Map(b.requests.map((request) => [request.id, request]));
  const shared = a.requests.flatMap((request): Shared[] => {
    const other = ofB.get(request.id);
    return other === undefined ? [] : [[request, other]];
  });
  const reason = whyNotPaired(
    a.summary.config,
    b.summary.config,
    shared,
    Math.max(a.requests.length, b.requests.length),
  );
  if (reason !== null) return { isPaired: false, reason };
  const pairs = shared
    .filter(([x, y]) => x.status === "completed" && y.status === "completed")
    .map(([x, y]): RequestPair => ({ a: x, b: y, arrivalUs: (x.arrivalUs + y.arrivalUs) / 2 }))
    .sort((x, y) => x.arrivalUs - y.arrivalUs || (x.a.id < y.a.id ? -1 : 1));
  const numCompleted = (requests: readonly ComparedRequest[]) =>
    requests.filter(({ status }) => status === "completed").length;
  return {
    isPaired: true,
    pairs,
    numOnlyA: numCompleted(a.requests) - pairs.length,
    numOnlyB: numCompleted(b.requests) - pairs.length,
  };
}

/** @param numRequests of the run that has more */
function whyNotPaired(
  a: ComparedRun["summary"]["config"],
  b: ComparedRun["summary"]["config"],
  shared: readonly Shared[],
  numRequests: number,
): string | null {
  const isEqual = (key: "workload" | "seed") => JSON.stringify(a[key]) === JSON.stringify(b[key]);
  const isSameSize = shared.every(([x, y]) => x.numPromptTokens === y.numPromptTokens && x.maxTokens === y.maxTokens);
  // A run that was cut short, or whose sessions went on faster, may hold requests that the other has not.
  if (isEqual("workload") && isEqual("seed")) {
    return isSameSize && (shared.length > 0 || numRequests === 0)
      ? null
      : "the requests differ, though workload and seed are the same";
  }
  const isSameTrace = isSameSize && shared.length === numRequests && numRequests > 0;
  if (isSameTrace && shared.every(([x, y]) => x.arrivalUs === y.arrivalUs)) return null;
  return isEqual("workload") ? "the seeds differ, so the requests do" : "the workloads differ";
}
