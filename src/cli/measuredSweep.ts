import { ConfigError } from "../core/errors/simulationError.js";
import type { Comparison } from "../core/evaluation/compareRun.js";
import { unstatedNotes } from "../core/evaluation/replayRun.js";
import { measuredConfig } from "../io/groundTruth/measuredConfig.js";
import { readMeasuredExperiments } from "../io/groundTruth/readMeasuredExperiments.js";
import { cleanJson } from "../io/results/cleanJson.js";
import { compareMeasuredSweep, type MeasuredSweep } from "../io/sweep/compareMeasuredSweep.js";
import { type Arguments, DEPLOYMENT_FLAGS, deploymentOf, givenConfig, withFlagNames } from "./deploymentOptions.js";
import { signedPercent } from "./evaluationTable.js";
import { reportFile, writeReportPage } from "./reportOption.js";
import { numberColumns, printNumber, textTable } from "./textTable.js";
import { WORKLOAD_FLAGS, WORKLOAD_PLACES } from "./workloadOptions.js";

/** Options of a sweep of one's own: the file says which loads there were. */
const OWN_SWEEP = ["vary", "seeds", "workers", "out", "restart", "sweep-size", "slo"];

/** Replays a measured sweep and prints it beside what was predicted, and its page where one is asked for. */
export async function writeMeasuredSweep(argv: Arguments): Promise<void> {
  rejectOwnSweep(argv);
  const file = await reportFile(argv);
  const given = givenConfig(argv, DEPLOYMENT_FLAGS) as { model?: unknown };
  const experiments = readMeasuredExperiments(String(argv.path), typeof given.model === "string" ? given.model : null);
  const sweeps = experiments.map((experiment) => {
    for (const note of [...experiment.notes, ...unstatedNotes(experiment)]) {
      process.stderr.write(`${experiment.name}: ${note}\n`);
    }
    return withFlagNames(argv, DEPLOYMENT_FLAGS, () => {
      const config = measuredConfig(experiment, given);
      return compareMeasuredSweep(experiment, deploymentOf(config), config);
    });
  });
  const json = () => `${cleanJson({ schema: "roofserve.sweep-comparison/1", experiments: sweeps })}\n`;
  process.stdout.write(argv.format === "json" ? json() : sweeps.map(measuredSweepTable).join("\n"));
  if (file === null) return;
  const { measuredSweepPage } = await import("../io/report/measuredSweepPage.js");
  await writeReportPage(file, measuredSweepPage(sweeps, given));
}

/** @throws ConfigError naming every option that would be ignored */
function rejectOwnSweep(argv: Arguments): void {
  const names = [...OWN_SWEEP, ...WORKLOAD_FLAGS.map(({ name }) => name), ...WORKLOAD_PLACES.map(({ name }) => name)];
  const issues = [...new Set(names)]
    .filter((name) => argv[name] !== undefined)
    .map((name) => ({
      path: `--${name}`,
      received: String(argv[name]),
      allowed: `leave it out: loads and requests are those of ${argv.path}`,
    }));
  if (argv.format === "csv") {
    issues.push({ path: "--format", received: "csv", allowed: "a comparison with a measured sweep is table or json" });
  }
  if (issues.length > 0) throw new ConfigError(issues);
}

function measuredSweepTable({ name, model, gpu, tensorParallelSize, rates, benchmarks }: MeasuredSweep): string {
  const row = (title: string, comparison: Comparison, decimals: number) => [
    title,
    printNumber(comparison.measured, decimals),
    printNumber(comparison.predicted, decimals),
    signedPercent(comparison),
  ];
  const columns = ["measured", "predicted", "error %"];
  const rateRows =
    rates === null
      ? []
      : [
          row("synchronous", rates.synchronousPerS, 4),
          row("throughput", rates.throughputPerS, 4),
          ...rates.constantPerS.map((rate, i) => row(`constant ${i + 1}`, rate, 4)),
        ];
  const rateTable =
    rateRows.length === 0 ? [] : [textTable(numberColumns("the sweep's own rates, requests/s", ...columns), rateRows)];
  const latencies = benchmarks.flatMap((benchmark) => {
    const load =
      benchmark.rate === null ? benchmark.strategy : `${benchmark.strategy} ${printNumber(benchmark.rate, 3)}/s`;
    const { e2eMs, ttftMs } = benchmark.metrics;
    return [
      row(`${load}  E2E mean`, e2eMs.mean, 0),
      row(`${load}  E2E p99`, e2eMs.p99, 0),
      row(`${load}  TTFT mean`, ttftMs.mean, 0),
    ];
  });
  const latencyTable = textTable(numberColumns("at the measured rates and arrivals, ms", ...columns), latencies);
  return `${name}\n${model} on ${tensorParallelSize} × ${gpu}\n\n${[...rateTable, latencyTable].join("\n")}`;
}
