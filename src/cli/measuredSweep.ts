import { join } from "node:path";
import { ConfigError } from "../core/errors/simulationError.js";
import type { Comparison } from "../core/evaluation/compareRun.js";
import { unstatedNotes } from "../core/evaluation/replayRun.js";
import { measuredConfig } from "../io/groundTruth/measuredConfig.js";
import { readMeasuredExperiments } from "../io/groundTruth/readMeasuredExperiments.js";
import { writeFileAtomically } from "../io/results/atomicFile.js";
import { cleanJson } from "../io/results/cleanJson.js";
import { compareMeasuredSweep, type MeasuredSweep } from "../io/sweep/compareMeasuredSweep.js";
import { comparedQuantities, comparisonCsvLines, comparisonFinding } from "../io/sweep/comparisonTable.js";
import { type Arguments, DEPLOYMENT_FLAGS, deploymentOf, givenConfig, withFlagNames } from "./deploymentOptions.js";
import { signedPercent } from "./evaluationTable.js";
import { reportFile, writeReportPage } from "./reportOption.js";
import { sweepFolder } from "./sweepFolder.js";
import { numberColumns, printNumber, textTable } from "./textTable.js";
import { WORKLOAD_FLAGS, WORKLOAD_PLACES } from "./workloadOptions.js";

/** Options of a sweep of one's own: the file says which loads there were. */
const OWN_SWEEP = ["vary", "seeds", "workers", "restart", "sweep-size", "slo"];

/** Replays a measured sweep and prints it beside what was predicted, and its page where one is asked for. */
export async function writeMeasuredSweep(argv: Arguments): Promise<void> {
  rejectOwnSweep(argv);
  const file = await reportFile(argv);
  const folder = sweepFolder(argv);
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
  const output = outputOf(sweeps);
  if (folder !== null) {
    for (const format of ["json", "csv"] as const) {
      const place = join(folder, `comparison.${format}`);
      writeFileAtomically(place, [output[format]()]);
      process.stderr.write(`wrote ${place}\n`);
    }
  }
  process.stdout.write(output[argv.format as keyof typeof output]());
  if (file === null) return;
  const { measuredSweepPage } = await import("../io/report/measuredSweepPage.js");
  await writeReportPage(file, measuredSweepPage(sweeps, given));
}

/** What is printed, and left in the folder of `--out`. */
function outputOf(sweeps: readonly MeasuredSweep[]) {
  const experiments = sweeps.map((sweep) => ({ ...sweep, finding: comparisonFinding(sweep) }));
  return {
    table: () => sweeps.map(measuredSweepTable).join("\n"),
    json: () => `${cleanJson({ schema: "roofserve.sweep-comparison/1", experiments })}\n`,
    csv: () => [...comparisonCsvLines(sweeps)].join(""),
  };
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
  if (issues.length > 0) throw new ConfigError(issues);
}

/** Latencies of a benchmark that have a row of their own. */
const ROWS: Readonly<Record<string, string>> = {
  e2e_ms_mean: "E2E mean",
  e2e_ms_p99: "E2E p99",
  ttft_ms_mean: "TTFT mean",
  itl_ms_mean: "ITL mean",
};

function measuredSweepTable(sweep: MeasuredSweep): string {
  const { name, model, gpu, tensorParallelSize } = sweep;
  const compared = comparedQuantities(sweep);
  const row = (title: string, comparison: Comparison, decimals: number) => [
    title,
    printNumber(comparison.measured, decimals),
    printNumber(comparison.predicted, decimals),
    signedPercent(comparison),
  ];
  const table = (title: string, rows: string[][]) =>
    rows.length === 0 ? [] : [textTable(numberColumns(title, "measured", "predicted", "error %"), rows)];
  const rates = compared.filter(({ benchmark }) => benchmark === null).map((rate) => row(rate.load, rate, 4));
  const latencies = compared.flatMap((one) => {
    const title = ROWS[one.quantity];
    if (one.benchmark === null || title === undefined) return [];
    return [row(`${one.load}  ${title}`, one, title.startsWith("ITL") ? 1 : 0)];
  });
  const excluded = sweep.benchmarks.filter((benchmark) => benchmark.excluded !== null);
  const left = excluded.map((benchmark) => `not counted: ${benchmark.name}: ${benchmark.excluded}\n`).join("");
  const tables = [
    ...table("the sweep's own rates, requests/s", rates),
    ...table("at the measured rates and arrivals, ms", latencies),
  ];
  return `${comparisonFinding(sweep)}\n\n${name}\n${model} on ${tensorParallelSize} × ${gpu}\n\n${tables.join("\n")}${left}`;
}
