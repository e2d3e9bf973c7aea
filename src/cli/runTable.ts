import type { RunSummary, SimulationResult } from "../core/engine/simulate.js";
import type { Distribution } from "../core/metrics/distribution.js";
import type { RequestRecord } from "../core/metrics/requestRecord.js";
import { e2eMs, ttftMs } from "../core/metrics/runMetrics.js";
import { distributionPicture } from "./distributionPicture.js";
import { numberColumns, printNumber, textTable } from "./textTable.js";
import { verdict } from "./verdict.js";

/** A run's result for people: the answer in words, then in numbers, then what the time and the memory went to. */
export function runTable({ summary, records }: Pick<SimulationResult, "summary" | "records">): string {
  const { config, requests, throughput, engine } = summary;
  const { tensorParallelSize, maxNumSeqs, maxNumBatchedTokens } = config.engine;
  const counts = [
    `${requests.completed} of ${requests.submitted} requests completed`,
    requests.rejected > 0 ? `${requests.rejected} rejected` : "",
    requests.aborted > 0 ? `${requests.aborted} given up by the client` : "",
    requests.unfinished > 0 ? `${requests.unfinished} unfinished` : "",
  ].filter((text) => text !== "");
  const latencies = textTable(numberColumns("latency, ms", "mean", "p50", "p90", "p95", "p99", "max"), [
    latencyRow("TTFT  time to first token", summary.ttftMs),
    latencyRow("TPOT  time per output token", summary.tpotMs),
    latencyRow("ITL   inter-token latency", summary.itlMs),
    latencyRow("E2E   end to end", summary.e2eMs),
    latencyRow("queue wait", summary.queueMs),
  ]);
  return `${config.model} on ${tensorParallelSize} × ${config.gpu}, vLLM ${config.engine.vllmVersion}
${loadLine(summary)}
${counts.join(", ")} in ${printNumber(engine.simulatedS)} simulated s

${verdict(summary)}

${latencies}${pictures(records)}
throughput   ${printNumber(throughput.requestsPerS, 2)} requests/s, ${printNumber(throughput.promptTokensPerS, 0)} prompt tokens/s, ${printNumber(throughput.outputTokensPerS, 0)} output tokens/s
engine       ${engine.steps} steps, GPU busy ${percent(engine.busyFraction)}, limits ${maxNumSeqs} sequences and ${maxNumBatchedTokens} tokens a step
KV cache     ${engine.numGpuBlocks} blocks, ${percent(engine.kvPeakUsedFraction)} used at peak, ${engine.preemptions} preemptions, ${percent(engine.prefixCacheHitFraction)} of prompt tokens from the prefix cache
GPU time     ${bottleneckLine(summary.bottleneck)}
`;
}

/** How TTFT and E2E spread over the completed requests: one line each, or nothing when there are too few. */
function pictures(records: readonly RequestRecord[]): string {
  const completed = records.filter((record) => record.status === "completed");
  const lines = [picture("TTFT", completed.map(ttftMs)), picture("E2E", completed.map(e2eMs))].filter(
    (line) => line !== "",
  );
  return lines.length === 0 ? "" : `\nrequests by latency, log scale\n${lines.join("")}`;
}

function picture(title: string, valuesMs: readonly number[]): string {
  const bars = distributionPicture(valuesMs);
  if (bars === null) return "";
  const low = printNumber(Math.min(...valuesMs), 0).padStart(7);
  return `${title.padEnd(4)} ${low} ms ${bars} ${printNumber(Math.max(...valuesMs), 0)} ms\n`;
}

function loadLine({ config }: RunSummary): string {
  const { profile, description } = config.workload;
  const load = "rate" in profile ? `${profile.kind}, ${profile.rate} requests/s` : profile.kind;
  const streams = "streams" in profile ? `, ${profile.streams} streams` : "";
  return `workload: ${load}${streams}${description === "" ? "" : ` — ${description}`}`;
}

/** The largest shares of GPU time, as words. */
function bottleneckLine(bottleneck: Readonly<Record<string, number>>): string {
  const largest = Object.entries(bottleneck).slice(0, 5);
  return largest.map(([name, share]) => `${name} ${percent(share)}`).join(", ");
}

function latencyRow(title: string, values: Distribution): string[] {
  const decimals = 1;
  return [
    title,
    ...[values.mean, values.p50, values.p90, values.p95, values.p99, values.max].map((value) =>
      printNumber(value, decimals),
    ),
  ];
}

function percent(fraction: number): string {
  return `${(100 * fraction).toFixed(1)} %`;
}
