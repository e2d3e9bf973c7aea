import type { Interval } from "../../core/metrics/interval.js";
import { element, section } from "../element.js";
import { printCount, printFraction, printMs, withUnitsKept } from "../numbers.js";
import type { RunAnswerSection } from "../reportPage.js";
import { type Tile, tileGrid } from "../tiles.js";

type Summary = RunAnswerSection["summary"];

/** The answer in words, then the headline numbers. */
export function runAnswer({ answer, summary }: RunAnswerSection): HTMLElement {
  const [first = "", ...others] = answer.map(withUnitsKept);
  return section(
    "answer",
    "Answer",
    element("p", { class: "lead" }, first),
    ...others.map((sentence) => element("p", {}, sentence)),
    tileGrid([
      latencyTile(summary, "ttftMs", { name: "TTFT", title: "time to first token", metric: "ttft" }),
      latencyTile(
        summary,
        "itlMs",
        { name: "ITL", title: "time between output tokens, the mean of each request", metric: "itl" },
        [`of single gaps within ${printMs(summary.gapMs.p99)}`],
      ),
      latencyTile(summary, "e2eMs", { name: "E2E", title: "end to end", metric: "e2e" }),
      throughputTile(summary),
      memoryTile(summary),
    ]),
  );
}

function latencyTile(
  summary: Summary,
  latency: "ttftMs" | "itlMs" | "e2eMs",
  named: Pick<Tile, "name" | "title" | "metric">,
  besides: readonly string[] = [],
): Tile {
  const { p50, p99 } = summary[latency];
  const interval = summary.uncertainty?.intervals[latency].p99 ?? null;
  return {
    ...named,
    value: printMs(p50),
    unit: "median",
    details: [`99 % within ${printMs(p99)}`, ...besides, ...intervalWords(interval)],
  };
}

function intervalWords(interval: Interval | null): string[] {
  return interval === null ? [] : [`(80 % sure: ${printMs(interval.low)} to ${printMs(interval.high)})`];
}

function throughputTile({ throughput, requests }: Summary): Tile {
  const left = requests.submitted - requests.completed;
  return {
    name: "Throughput",
    title: "output tokens per second",
    metric: "throughput",
    value: printCount(throughput.outputTokensPerS),
    unit: "tokens/s",
    details: [
      `${printCount(throughput.requestsPerS)} requests/s`,
      `${printCount(requests.completed)} completed${left > 0 ? `, ${printCount(left)} not` : ""}`,
    ],
  };
}

function memoryTile({ engine }: Summary): Tile {
  return {
    name: "KV cache",
    title: "peak use of the KV cache",
    metric: "memory",
    value: printFraction(engine.kvPeakUsedFraction),
    unit: "at peak",
    details: [
      engine.preemptions === 0 ? "no preemptions" : `${printCount(engine.preemptions)} preemptions`,
      `GPU busy ${printFraction(engine.busyFraction)}`,
    ],
  };
}
