import { bucketLabel, countBucket } from "../metrics/countBucket.js";
import { distribution } from "../metrics/distribution.js";
import type { MeasuredRequest, MeasuredRun } from "../metrics/measuredExperiment.js";
import type { RequestRecord } from "../metrics/requestRecord.js";
import { e2eMs, ttftMs } from "../metrics/runMetrics.js";
import { compare, comparedIndices, meanApe } from "./compareRun.js";
import { requestsInFlight } from "./inFlight.js";

/**
 * What errors can be grouped by: the phase of a request (until its first token, after it), the requests in flight when
 * it arrived in the simulation, its prompt and output tokens, or the load that the client's stage offered.
 */
export const BREAKDOWNS = ["phase", "batch", "context", "load"] as const;
export type Breakdown = (typeof BREAKDOWNS)[number];

/** Latencies compared: time to the first token, from it to the last one, and both together. */
export type BreakdownMetric = "ttftMs" | "decodeMs" | "e2eMs";

/** One latency of one group of requests, those that completed in both worlds. */
export interface GroupError {
  readonly group: string;
  readonly metric: BreakdownMetric;
  /** Least number that the group holds: requests in flight, tokens, or requests/s; null where it has none. */
  readonly from: number | null;
  /** Requests with this latency in both worlds. */
  readonly numRequests: number;
  /** Means over them; null without requests. */
  readonly measuredMs: number | null;
  readonly predictedMs: number | null;
  /** Error of the mean, percent; positive = predicted too slow. */
  readonly errorPercent: number | null;
  /** Mean over requests of |error|, percent. */
  readonly mapePercent: number | null;
}

export interface ErrorBreakdown {
  readonly by: Breakdown;
  /** Ascending by what they are grouped by; each request is in one group of each metric. */
  readonly groups: readonly GroupError[];
}

/** A run replayed: records parallel to what was measured. */
export interface ReplayPair {
  readonly run: MeasuredRun;
  readonly records: readonly RequestRecord[];
}

/** Where a request belongs. */
type Group = Pick<GroupError, "group" | "from">;

const METRICS: Readonly<
  Record<
    BreakdownMetric,
    { readonly measured: (request: MeasuredRequest) => number; readonly predicted: (record: RequestRecord) => number }
  >
> = {
  ttftMs: { measured: (request) => request.ttftMs, predicted: ttftMs },
  decodeMs: {
    measured: (request) => request.e2eMs - request.ttftMs,
    predicted: (record) => e2eMs(record) - ttftMs(record),
  },
  e2eMs: { measured: (request) => request.e2eMs, predicted: e2eMs },
};

/** Errors of a replayed run by group. */
export function errorBreakdown(by: Breakdown, pair: ReplayPair): ErrorBreakdown {
  const indices = comparedIndices(pair.run.measured, pair.records);
  if (by === "phase") {
    return {
      by,
      groups: [
        groupError({ group: "prefill", from: null }, "ttftMs", pair, indices),
        groupError({ group: "decode", from: null }, "decodeMs", pair, indices),
      ],
    };
  }
  const groups = groupBy(indices, grouping(by, pair));
  return {
    by,
    groups: groups.flatMap(({ group, members }) => [
      groupError(group, "e2eMs", pair, members),
      groupError(group, "ttftMs", pair, members),
    ]),
  };
}

/** Says of a request, by index, which group it is in. */
function grouping(by: Exclude<Breakdown, "phase">, { run, records }: ReplayPair): (index: number) => Group {
  switch (by) {
    case "batch": {
      const inFlight = requestsInFlight(records, run.specs);
      return (index) => countGroup(inFlight[index]!, "in flight");
    }
    case "context":
      return (index) => {
        const { numPromptTokens, numOutputTokens } = records[index]!;
        return countGroup(numPromptTokens + numOutputTokens, "tokens");
      };
    case "load":
      return (index) => {
        const stage = run.stages.find(({ firstIndex, endIndex }) => firstIndex <= index && index < endIndex);
        const requestsPerS = stage?.requestsPerS ?? null;
        const group = requestsPerS === null ? run.name : `${Number(requestsPerS.toPrecision(3))} requests/s`;
        return { group, from: requestsPerS };
      };
  }
}

function countGroup(count: number, unit: string): Group {
  const bucket = countBucket(count);
  return { group: `${bucketLabel(bucket)} ${unit}`, from: bucket.from };
}

interface Members {
  readonly group: Group;
  readonly members: number[];
}

/** Groups of indices, ascending by their numbers; those without one last. */
function groupBy(indices: readonly number[], groupOf: (index: number) => Group): Members[] {
  const groups = new Map<string, Members>();
  for (const index of indices) {
    const group = groupOf(index);
    const known = groups.get(group.group);
    if (known === undefined) groups.set(group.group, { group, members: [index] });
    else known.members.push(index);
  }
  return [...groups.values()].sort((a, b) => compareFrom(a.group.from, b.group.from));
}

/** Order of groups: ascending, those without a number last. */
export function compareFrom(a: number | null, b: number | null): number {
  if (a === null || b === null) return Number(a === null) - Number(b === null);
  return a - b;
}

function groupError(
  group: Group,
  metric: BreakdownMetric,
  { run, records }: ReplayPair,
  members: readonly number[],
): GroupError {
  const { measured, predicted } = METRICS[metric];
  const pairs = members
    .map((index) => [measured(run.measured[index]!), predicted(records[index]!)] as const)
    .filter(([seen, simulated]) => Number.isFinite(seen) && Number.isFinite(simulated));
  const seen = pairs.map(([ms]) => ms);
  const simulated = pairs.map(([, ms]) => ms);
  const means = compare(distribution(seen).mean, distribution(simulated).mean);
  const { measured: measuredMs, predicted: predictedMs, ape } = means;
  return {
    ...group,
    metric,
    numRequests: pairs.length,
    measuredMs,
    predictedMs,
    errorPercent: ape === null ? null : Math.sign(predictedMs! - measuredMs!) * ape,
    mapePercent: meanApe(seen, simulated),
  };
}
