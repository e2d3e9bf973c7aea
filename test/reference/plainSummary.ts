import { distribution, repeatedDistribution } from "../../src/core/metrics/distribution.js";
import type { RequestRecord } from "../../src/core/metrics/requestRecord.js";
import { e2eMs, interTokenMs, type RunMetrics, ttftMs } from "../../src/core/metrics/runMetrics.js";

/** The request-side summary of a run, straight from the records, which know no single gaps. */
export function plainSummary(records: readonly RequestRecord[]): Omit<RunMetrics, "gapMs"> {
  const completed = records.filter(({ status }) => status === "completed");
  const count = (status: string) => records.filter((record) => record.status === status).length;
  const sum = (tokens: (record: RequestRecord) => number) =>
    completed.reduce((total, record) => total + tokens(record), 0);
  const times = records.flatMap(({ arrivalUs, lastTokenUs }) => [arrivalUs, lastTokenUs]).filter(Number.isFinite);
  const spanS = (Math.max(...times) - Math.min(...records.map(({ arrivalUs }) => arrivalUs))) / 1e6;
  const perS = (total: number) => (spanS > 0 ? total / spanS : null);
  return {
    requests: {
      submitted: records.length,
      completed: completed.length,
      rejected: count("rejected"),
      aborted: count("aborted"),
      unfinished: count("unfinished"),
    },
    ttftMs: distribution(completed.map(ttftMs)),
    tpotMs: distribution(completed.map(interTokenMs)),
    itlMs: repeatedDistribution(
      completed.map(interTokenMs),
      completed.map(({ numOutputTokens }) => Math.max(numOutputTokens - 1, 0)),
    ),
    e2eMs: distribution(completed.map(e2eMs)),
    queueMs: distribution(completed.map(({ queueUs }) => queueUs / 1000)),
    throughput: {
      requestsPerS: perS(completed.length),
      promptTokensPerS: perS(sum(({ numPromptTokens }) => numPromptTokens)),
      outputTokensPerS: perS(sum(({ numOutputTokens }) => numOutputTokens)),
    },
  };
}

/** Growth of the wait over the later half of the arrivals: least squares over records. */
export function plainQueueGrowth(records: readonly RequestRecord[]): number | null {
  const later = records
    .slice(records.length >> 1)
    .filter(({ firstScheduledUs }) => !Number.isNaN(firstScheduledUs))
    .map(({ arrivalUs, firstScheduledUs }) => ({ arrivalUs, waitUs: firstScheduledUs - arrivalUs }));
  const mean = (values: readonly number[]) => values.reduce((sum, value) => sum + value, 0) / values.length;
  const meanArrivalUs = mean(later.map(({ arrivalUs }) => arrivalUs));
  const meanWaitUs = mean(later.map(({ waitUs }) => waitUs));
  let covariance = 0;
  let variance = 0;
  for (const { arrivalUs, waitUs } of later) {
    covariance += (arrivalUs - meanArrivalUs) * (waitUs - meanWaitUs);
    variance += (arrivalUs - meanArrivalUs) ** 2;
  }
  return variance > 0 ? covariance / variance : null;
}

/** Whether most requests came when another one ended, or all before the first answer. */
export function plainIsClosedLoop(records: readonly RequestRecord[]): boolean {
  if (records.length < 2) return false;
  const arrivalsUs = records.map(({ arrivalUs }) => arrivalUs);
  const answersUs = records.map(({ firstTokenUs }) => firstTokenUs).filter(Number.isFinite);
  if (answersUs.length > 0 && Math.min(...answersUs) > arrivalsUs.at(-1)!) return true;
  const endsUs = new Set(records.map(({ lastTokenUs }) => Math.ceil(lastTokenUs)));
  const numCaused = arrivalsUs.filter((arrivalUs) => arrivalUs === arrivalsUs[0] || endsUs.has(arrivalUs)).length;
  return numCaused > records.length / 2;
}
