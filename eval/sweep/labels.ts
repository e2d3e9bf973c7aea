import { runSweep } from "../../src/core/analysis/sweep/runSweep.js";
import { isSettled } from "../../src/core/analysis/sweep/settled.js";
import { isMeasured, type MeasuredPoint } from "../../src/core/analysis/sweep/sweepPoint.js";
import { sweepRunOf } from "../../src/core/analysis/sweep/sweepRun.js";
import { simulateTask } from "../../src/core/analysis/sweep/sweepTask.js";
import { parseConfig } from "../../src/core/config/parseConfig.js";
import { type RunConfig, runConfigSchema } from "../../src/core/engine/runConfig.js";
import { regimeGroup } from "../../src/core/metrics/regimeErrors.js";
import { loadDeployment } from "../../src/io/loadDeployment.js";
import { loadWorkloadPreset, type WorkloadPreset } from "../../src/io/workloadPresets.js";

/**
 * What a sweep says of a rate after its 2,000 requests, with three seeds, beside what 40,000 requests at the same rate show.
 * The rates lie round the knee.
 */
const WORKLOADS: readonly (readonly [WorkloadPreset, rates: readonly number[]])[] = [
  ["chat", [14, 17, 19, 20, 20.5, 21, 22, 23, 25, 28]],
  ["rag", [3.5, 4.25, 4.6, 4.8, 4.95, 5.05, 5.2, 5.5, 6, 7]],
];
const SHORT = 2000;
const LONG = 40_000;
const SEEDS = [42, 1042, 2042];

const deployment = loadDeployment({ model: "meta-llama/Llama-3.1-8B-Instruct", gpu: "H100" });

process.stdout.write(
  "| workload | requests/s | label of 2,000, three seeds | kept up | label of 40,000 | kept up | E2E mean of 2,000, s | of 40,000, s |\n" +
    "| --- | --- | --- | --- | --- | --- | --- | --- |\n",
);
for (const [name, rates] of WORKLOADS) {
  for (const rate of rates) {
    const short = await Promise.all(SEEDS.map((seed) => point(name, rate, SHORT, seed)));
    const long = await point(name, rate, LONG, SEEDS[0]!);
    const cells = [
      ...[name, rate, short.map(label).join(", "), mean(short.map(kept)).toFixed(2)],
      ...[label(long), kept(long).toFixed(2), mean(short.map(e2eS)).toFixed(1), e2eS(long).toFixed(1)],
    ];
    process.stdout.write(`| ${cells.join(" | ")} |\n`);
  }
}

async function point(name: WorkloadPreset, rate: number, maxRequests: number, seed: number): Promise<MeasuredPoint> {
  const { data } = loadWorkloadPreset(name);
  const workload = { profile: { kind: "poisson", rate }, data, maxRequests };
  const config: RunConfig = parseConfig(runConfigSchema, { workload, seed }, "");
  const sweep = { series: [{ label: "", varied: {}, configs: [config] }], seeds: [seed], guidellmSize: null };
  const points = await runSweep(sweep, async (task) => ({ run: sweepRunOf(simulateTask(deployment, task, null)) }));
  return points.filter(isMeasured)[0]!;
}

/** As `roofserve sweep` prints it. */
function label(found: MeasuredPoint): string {
  const group = regimeGroup(found.regime);
  return group === "past" || isSettled(found) ? group : "too short";
}

function kept({ keptUpFraction }: MeasuredPoint): number {
  return keptUpFraction ?? Number.NaN;
}

function e2eS({ e2eMs }: MeasuredPoint): number {
  return (e2eMs.mean ?? Number.NaN) / 1000;
}

function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}
