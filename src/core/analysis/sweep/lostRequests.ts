import { isMeasured, type MeasuredPoint, type PointResult } from "./sweepPoint.js";

/** Below this share of completed requests a point's latencies are those of a minority. */
const MOST_FRACTION = 0.5;

/** What becomes of requests that do not complete, and what lets them. */
const LOSSES = [
  {
    count: "rejected",
    words: "rejected",
    remedy: "rejected ones need a larger --max-model-len, more room for KV cache, or to be shorter",
  },
  {
    count: "aborted",
    words: "given up by their clients",
    remedy: "clients that give up need a longer --timeout-s, a lower rate or a faster server",
  },
  {
    count: "unfinished",
    words: "unfinished at the end",
    remedy: "unfinished ones need more --max-seconds, --at-max-seconds drain or a lower rate",
  },
] as const;

/** Says of a server that most requests of some of its loads do not complete, with the worst of them; null where there is none. */
export function lostRequestsNote(label: string, points: readonly PointResult[]): string | null {
  const measured = points.filter(isMeasured);
  const lossy = measured.filter((point) => lostFraction(point) > MOST_FRACTION);
  const [first] = lossy;
  if (first === undefined) return null;
  const worst = lossy.reduce((a, b) => (lostFraction(b) > lostFraction(a) ? b : a), first);
  const losses = LOSSES.filter(({ count }) => lossy.some(({ requests }) => requests[count] > 0));
  const counts = losses.map(({ count, words }) => `${Math.round(worst.requests[count])} ${words}`);
  const server = label === "" ? "" : `${label}: `;
  const most = lossy.length === 1 ? "" : "the most ";
  return (
    `${server}at ${lossy.length} of ${measured.length} loads most requests do not complete, ${most}at ${loadOf(worst, label)}: ` +
    `of ${Math.round(worst.requests.submitted)} requests ${counts.join(", ")}; latencies and throughput are of the others; ` +
    `${losses.map(({ remedy }) => remedy).join("; ")}`
  );
}

function lostFraction({ requests: { submitted, completed } }: MeasuredPoint): number {
  return submitted === 0 ? 0 : 1 - completed / submitted;
}

/** A point's label without its server's. */
function loadOf(point: MeasuredPoint, label: string): string {
  return label === "" ? point.label : point.label.slice(label.length + ", ".length);
}
