import { PROBE_FACTORS } from "../../src/core/analysis/sweep/guidellmSweepRates.js";
import { runSweep } from "../../src/core/analysis/sweep/runSweep.js";
import { seriesSaturation } from "../../src/core/analysis/sweep/saturation.js";
import { isMeasured } from "../../src/core/analysis/sweep/sweepPoint.js";
import { sweepRunOf } from "../../src/core/analysis/sweep/sweepRun.js";
import { simulateTask } from "../../src/core/analysis/sweep/sweepTask.js";
import { parseConfig } from "../../src/core/config/parseConfig.js";
import { runConfigSchema } from "../../src/core/engine/runConfig.js";
import { regimeGroup } from "../../src/core/metrics/regimeErrors.js";
import { hasSessions } from "../../src/core/workload/turnsPerStart.js";
import { loadDeployment } from "../../src/io/loadDeployment.js";
import { loadWorkloadPreset, type WorkloadPreset } from "../../src/io/workloadPresets.js";

/** Where GuideLLM's sweep profile of four benchmarks ends, and what the probes beyond it find: requests/s, of agents sessions/s. */
const SERVERS: readonly (readonly [WorkloadPreset, gpu: string, model?: string, engine?: object])[] = [
  ["chat", "H100"],
  ["chat", "L40S"],
  ["chat", "B200"],
  ["chat", "H100", "meta-llama/Llama-3.1-70B", { tensorParallelSize: 4 }],
  ["chat", "H100", "meta-llama/Llama-3.1-8B", { maxNumSeqs: 32 }],
  ["code", "H100"],
  ["code", "L40S"],
  ["rag", "H100"],
  ["rag", "L40S"],
  ["summarise", "H100"],
  ["reasoning", "H100"],
  ["agent", "H100"],
  ["agent", "L40S"],
];
const MAX_REQUESTS = 2000;

process.stdout.write(
  "| workload | GPU | server | throughput rate, 1/s | there | × 1.15 | × 1.4 | carried | not carried |\n" +
    "| --- | --- | --- | --- | --- | --- | --- | --- | --- |\n",
);
for (const [name, gpu, model = "meta-llama/Llama-3.1-8B", engine = {}] of SERVERS) {
  const workload = { ...loadWorkloadPreset(name), maxRequests: MAX_REQUESTS };
  const config = parseConfig(runConfigSchema, { model, gpu, engine, workload }, "");
  const deployment = loadDeployment(config);
  const head = { label: "", varied: {}, hasSessions: hasSessions(config.workload.data) };
  const sweep = { series: [{ ...head, configs: [config] }], seeds: [config.seed], guidellmSize: 4 };
  const points = await runSweep(sweep, async (task) => ({ run: sweepRunOf(simulateTask(deployment, task, null)) }));
  const { sustainedLoad, saturatedLoad } = seriesSaturation(head, 0, points);
  const labels = points
    .slice(3, 4 + PROBE_FACTORS.length)
    .map((point) => (isMeasured(point) ? regimeGroup(point.regime) : "failed"));
  const server = [model.split("-").at(-1), ...Object.entries(engine).map(([key, value]) => `${key} ${value}`)].join(
    ", ",
  );
  const cells = [name, gpu, server, rate(points[3]?.rate), ...labels, rate(sustainedLoad), rate(saturatedLoad)];
  process.stdout.write(`| ${cells.join(" | ")} |\n`);
}

function rate(perS: number | null | undefined): string {
  return perS == null ? "none" : perS.toPrecision(3);
}
