import { parseConfig } from "../../src/core/config/parseConfig.js";
import { createServer } from "../../src/core/engine/createServer.js";
import { runConfigSchema } from "../../src/core/engine/runConfig.js";
import { runRegime, runServer } from "../../src/core/engine/simulate.js";
import { perturbDeployment } from "../../src/core/evaluation/uncertainty/perturbDeployment.js";
import { PossibleWorld } from "../../src/core/evaluation/uncertainty/possibleWorld.js";
import { RecordColumns } from "../../src/core/metrics/recordColumns.js";
import { summariseRecords } from "../../src/core/metrics/runMetrics.js";
import { createWorkload } from "../../src/core/workload/createWorkload.js";
import { loadDeployment } from "../../src/io/loadDeployment.js";

/**
 * What the spreads say of forecasts for servers nobody has measured: the mean |error| they imply, to be laid beside the
 * errors of forecasts that were made blind.
 */
const DRAWS = 60;
const DENSE = "meta-llama/Llama-3.1-8B-Instruct";
const SERVERS: readonly (readonly [
  model: string,
  gpu: string,
  tensorParallelSize: number,
  rates: readonly number[],
])[] = [
  [DENSE, "H100", 1, [2, 8, 16]],
  ["meta-llama/Llama-2-70b-hf", "H100", 4, [1, 3, 6]],
  ["mistralai/Mixtral-8x7B-v0.1", "H100", 2, [1, 4, 8]],
  [DENSE, "A100-80", 1, [1, 4, 8]],
  [DENSE, "L40S", 1, [0.5, 2, 3]],
  [DENSE, "H200", 1, [2, 8, 16]],
  [DENSE, "A10G", 1, [0.2, 0.8, 1.2]],
];

process.stdout.write("model | GPU | requests/s | utilisation | implied mean |error| %: E2E | TTFT | ITL\n");
for (const [model, gpu, tensorParallelSize, rates] of SERVERS) {
  const deployment = loadDeployment({ model, gpu });
  for (const rate of rates) {
    const profile = { kind: "poisson", rate };
    const data = { kind: "synthetic", promptTokens: 600, outputTokens: 200 };
    const engine = { tensorParallelSize, maxModelLen: 4096 };
    const config = parseConfig(
      runConfigSchema,
      { model, gpu, engine, workload: { profile, data, maxRequests: 150 } },
      "",
    );
    const server = createServer(deployment, config.engine, config.sampling);
    const workload = () => createWorkload(config.workload, config.seed);
    const central = runServer(server, workload());
    const believed = summariseRecords(central.records);
    const sources = new Set(["kernels", "constants", "variation"] as const);
    const worlds = Array.from({ length: DRAWS }, (_, draw) => {
      const perturbation = { world: new PossibleWorld(config.seed, draw), run: `${gpu} ${rate}`, sources };
      const perturbed = perturbDeployment(deployment, server, perturbation);
      return summariseRecords(runServer(createServer(perturbed, config.engine, config.sampling), workload()).records);
    });
    const errors = (["e2eMs", "ttftMs", "itlMs"] as const).map((latency) => {
      const off = worlds.map((metrics) => Math.abs((believed[latency].mean ?? 0) / (metrics[latency].mean ?? 1) - 1));
      return ((100 * off.reduce((sum, error) => sum + error, 0)) / off.length).toFixed(1);
    });
    const utilisation = runRegime(server, RecordColumns.of(central.records), central.stats).utilisation.toFixed(2);
    process.stdout.write(`${[model, gpu, rate, utilisation, ...errors].join(" | ")}\n`);
  }
}
