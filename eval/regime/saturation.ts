import { parseConfig } from "../../src/core/config/parseConfig.js";
import { createServer, type Deployment } from "../../src/core/engine/createServer.js";
import { KeptRequests } from "../../src/core/engine/requestSinks.js";
import { type RunConfig, runConfigSchema } from "../../src/core/engine/runConfig.js";
import { ServerLoop } from "../../src/core/engine/serverLoop.js";
import { runRegime } from "../../src/core/engine/simulate.js";
import { RecordColumns } from "../../src/core/metrics/recordColumns.js";
import type { RequestRecord } from "../../src/core/metrics/requestRecord.js";
import { e2eMs, ttftMs } from "../../src/core/metrics/runMetrics.js";
import type { StepModel } from "../../src/core/stepmodel/stepModel.js";
import { createWorkload } from "../../src/core/workload/createWorkload.js";
import { loadDeployment } from "../../src/io/loadDeployment.js";

/**
 * How much of an error of the step time reaches latency: sweeps the rate of four servers through saturation, prices
 * every step 1 % slower and 1 % faster, and prints d ln latency / d ln step time beside what the regime says.
 */
const CHAT = { promptTokens: 500, outputTokens: 200 };
const SERVERS: readonly (readonly [name: string, config: object, data: object, rates: readonly number[]])[] = [
  ["8B, batch grows", {}, CHAT, [2, 10, 20, 25, 30, 35, 40, 45, 55]],
  ["8B, 32 sequences", { engine: { maxNumSeqs: 32 } }, CHAT, [10, 14, 15, 16, 17, 18, 20]],
  [
    "8B, 3000 KV blocks",
    { engine: { numGpuBlocksOverride: 3000 } },
    { promptTokens: 1000, outputTokens: 500 },
    [1, 3, 4.5, 5, 5.5, 6, 7],
  ],
  [
    "34B, long prompts",
    { model: "codellama/CodeLlama-34b-Instruct-hf" },
    { promptTokens: 4000, outputTokens: 30 },
    [0.2, 0.5, 0.8, 1, 1.2, 1.4, 1.7, 2],
  ],
  [
    "Mixtral, TP 2",
    { model: "mistralai/Mixtral-8x7B-v0.1", engine: { tensorParallelSize: 2 } },
    CHAT,
    [1, 4, 8, 16, 24],
  ],
];
const SECONDS = 120;
const CHANGE = 0.01;

process.stdout.write(
  "server | requests/s | label | shared | limited | growth | 1/(1 − utilisation) | E2E amplification | TTFT amplification\n",
);
for (const [name, stated, data, rates] of SERVERS) {
  const deployment = loadDeployment({ model: "meta-llama/Llama-3.1-8B-Instruct", gpu: "H100", ...stated });
  for (const rate of rates)
    process.stdout.write(`${name} | ${rate} | ${row(deployment, runConfig(stated, data, rate))}\n`);
}

function runConfig(stated: object, data: object, rate: number): RunConfig {
  const maxRequests = Math.max(60, Math.round(rate * SECONDS));
  const workload = { profile: { kind: "poisson", rate }, data: { kind: "synthetic", ...data }, maxRequests };
  return parseConfig(runConfigSchema, { ...stated, workload }, "");
}

function row(deployment: Deployment, config: RunConfig): string {
  const { regime } = serve(deployment, config, 1);
  const { run: slow } = serve(deployment, config, 1 + CHANGE);
  const { run: fast } = serve(deployment, config, 1 - CHANGE);
  const amplification = (latencyMs: (record: RequestRecord) => number) =>
    Math.log(mean(slow, latencyMs) / mean(fast, latencyMs)) / Math.log((1 + CHANGE) / (1 - CHANGE));
  const { label, sharedFraction, limitedFraction, queueGrowth, utilisation } = regime;
  const numbers = [sharedFraction, limitedFraction, queueGrowth ?? Number.NaN, 1 / (1 - utilisation)];
  return [label, ...[...numbers, amplification(e2eMs), amplification(ttftMs)].map((value) => value.toFixed(2))].join(
    " | ",
  );
}

function serve(deployment: Deployment, { engine, sampling, workload, seed }: RunConfig, factor: number) {
  const server = createServer(deployment, engine, sampling);
  const parts = { ...server.parts, stepModel: scaled(server.stepModel, factor) };
  const kept = new KeptRequests();
  const stats = new ServerLoop(parts, createWorkload(workload, seed), null, kept).run();
  return { run: kept, regime: runRegime(server, RecordColumns.of(kept.records), stats) };
}

function scaled(model: StepModel, factor: number): StepModel {
  return {
    pricesLockstep: model.pricesLockstep,
    componentNames: model.componentNames,
    componentCategories: model.componentCategories,
    gpuUs: (batch, componentsUs) => model.gpuUs(batch, componentsUs) * factor,
    breakdown: (batch) => model.breakdown(batch),
  };
}

function mean({ records }: KeptRequests, latencyMs: (record: RequestRecord) => number): number {
  const completed = records.filter(({ status }) => status === "completed");
  return completed.reduce((sum, record) => sum + latencyMs(record), 0) / completed.length;
}
