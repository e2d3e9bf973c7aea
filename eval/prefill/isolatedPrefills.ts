import { readFileSync } from "node:fs";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { parse as parseYaml } from "yaml";
import { ScheduledBatch } from "../../src/core/batch/scheduledBatch.js";
import { engineConfigSchema, samplingConfigSchema } from "../../src/core/config/engineConfig.js";
import { parseConfig } from "../../src/core/config/parseConfig.js";
import { createServer, type Server } from "../../src/core/engine/createServer.js";
import { gpuRoofs } from "../../src/core/kernels/gpuRoofs.js";
import { operatorBytes } from "../../src/core/model/operator.js";
import { loadDeployment } from "../../src/io/loadDeployment.js";

/**
 * Compares prompts that a real server computed alone (server-side spans of vLLM: no other request overlapped them) with
 * the step model, and fits how much slower compute-bound matrix products ran than the model says.
 */
const { values } = parseArgs({ options: { runs: { type: "string" } } });
if (values.runs === undefined) throw new Error("--runs: missing; give a folder with exp-config.yaml and traces.json");

interface Prefill {
  readonly startS: number;
  readonly endS: number;
  readonly numPromptTokens: number;
  readonly ms: number;
}

const config = parseYaml(readFileSync(join(values.runs, "exp-config.yaml"), "utf8"));
const deployment = loadDeployment({ model: config.model, gpu: "H100" });
const engine = parseConfig(
  engineConfigSchema,
  {
    vllmVersion: "0.11.0",
    tensorParallelSize: config.tensor_parallelism,
    maxModelLen: config.max_model_len,
    maxNumBatchedTokens: config.max_num_batched_tokens,
    maxNumSeqs: config.max_num_seqs,
  },
  "engine",
);
const server = createServer(deployment, engine, parseConfig(samplingConfigSchema, {}, "sampling"));
const { scheduleUs, updateUs } = server.parts.overheads;

process.stdout.write("prompt tokens | measured ms | predicted ms | error %\n");
let sumSquares = 0;
let sumProducts = 0;
let sumErrors = 0;
const prefills = isolatedPrefills(join(values.runs, "traces.json"));
for (const { numPromptTokens, ms } of prefills) {
  const { gpuUs, computeBoundUs, numSteps } = predict(server, numPromptTokens);
  const predictedMs = (gpuUs + numSteps * (scheduleUs + updateUs)) / 1000;
  sumProducts += (ms - predictedMs) * (computeBoundUs / 1000);
  sumSquares += (computeBoundUs / 1000) ** 2;
  sumErrors += Math.abs(predictedMs / ms - 1);
  const error = 100 * (predictedMs / ms - 1);
  process.stdout.write(`${numPromptTokens} | ${ms.toFixed(1)} | ${predictedMs.toFixed(1)} | ${error.toFixed(1)}\n`);
}
const meanError = (100 * sumErrors) / prefills.length;
const further = (100 * sumProducts) / sumSquares;
process.stdout.write(`${prefills.length} prompts, mean |error| ${meanError.toFixed(1)} %\n`);
process.stdout.write(`compute-bound products: a further ${further.toFixed(1)} % slower would fit best\n`);

/** GPU time of a prompt computed alone in chunks of the budget, and the part of it that compute binds. */
function predict({ stepModel, engine: limits }: Server, numPromptTokens: number) {
  const { bytesPerUs, bf16FlopsPerUs } = gpuRoofs(deployment.gpu);
  let gpuUs = 0;
  let computeBoundUs = 0;
  let numSteps = 0;
  for (let done = 0; done < numPromptTokens; done += limits.maxNumBatchedTokens) {
    const numNewTokens = Math.min(limits.maxNumBatchedTokens, numPromptTokens - done);
    const batch = new ScheduledBatch(1);
    batch.push(numNewTokens, done, false);
    batch.numSampled = done + numNewTokens === numPromptTokens ? 1 : 0;
    const { components, waits } = stepModel.breakdown(batch);
    for (const wait of waits) gpuUs += wait.us;
    for (const { operator, us } of components) {
      gpuUs += us;
      if (operator.dims.category !== "gemm") continue;
      const computeUs = operator.flops / bf16FlopsPerUs;
      const memoryUs = operatorBytes(operator) / bytesPerUs;
      computeBoundUs += (us * computeUs ** 2) / (computeUs ** 2 + memoryUs ** 2);
    }
    numSteps += 1;
  }
  return { gpuUs, computeBoundUs, numSteps };
}

/** Requests that no other one overlapped, by time. */
function isolatedPrefills(file: string): Prefill[] {
  const all = readFileSync(file, "utf8")
    .split("\n")
    .filter((line) => line.trim() !== "")
    .flatMap((line) => JSON.parse(line).resourceSpans)
    .flatMap((resource) => resource.scopeSpans)
    .flatMap((scope) => scope.spans)
    .map(readSpan)
    .sort((a, b) => a.startS - b.startS);
  return all.filter((span) =>
    all.every((other) => other === span || other.endS < span.startS || other.startS > span.endS),
  );
}

function readSpan(span: {
  startTimeUnixNano: string;
  endTimeUnixNano: string;
  attributes: { key: string; value: Record<string, string | number> }[];
}): Prefill {
  const attribute = (key: string) => Number(Object.values(span.attributes.find((a) => a.key === key)?.value ?? {})[0]);
  return {
    startS: Number(span.startTimeUnixNano) / 1e9,
    endS: Number(span.endTimeUnixNano) / 1e9,
    numPromptTokens: attribute("gen_ai.usage.prompt_tokens"),
    ms: 1000 * attribute("gen_ai.latency.time_in_model_prefill"),
  };
}
