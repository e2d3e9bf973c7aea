import { evaluateRun } from "../../src/core/evaluation/evaluateRun.js";
import { COMPARED_NUMBERS, type ComparedNumber } from "../../src/core/evaluation/uncertainty/comparedNumbers.js";
import {
  UNCERTAINTY_SOURCES,
  type UncertaintySource,
} from "../../src/core/evaluation/uncertainty/perturbDeployment.js";
import { predictionIntervals } from "../../src/core/evaluation/uncertainty/predictionIntervals.js";
import { measuredConfig } from "../../src/io/groundTruth/measuredConfig.js";
import { readMeasuredExperiments } from "../../src/io/groundTruth/readMeasuredExperiments.js";
import { loadDeployment } from "../../src/io/loadDeployment.js";

/** Which source widens which number: half-widths of 80 % intervals, percent of the prediction, one source at a time. */
const NUMBERS: readonly ComparedNumber[] = ["e2eMs.mean", "e2eMs.p99", "ttftMs.mean", "ttftMs.p50", "itlMs.mean"];
const [drawsText = "40", ...paths] = process.argv.slice(2);
const draws = Number(drawsText);
const REPLAYED = UNCERTAINTY_SOURCES.filter((source) => source !== "seed");
const CHOICES: readonly (readonly UncertaintySource[])[] = [...REPLAYED.map((source) => [source]), REPLAYED];

process.stdout.write(`run | sources | ${NUMBERS.join(" | ")}\n`);
for (const experiment of paths.flatMap((path) => readMeasuredExperiments(path))) {
  const config = measuredConfig(experiment);
  const deployment = loadDeployment(config);
  for (const run of experiment.runs) {
    const replayed = evaluateRun(deployment, config, run);
    for (const sources of CHOICES) {
      const intervals = predictionIntervals(deployment, config, replayed, { draws, sources });
      const halfWidths = NUMBERS.map((name) => {
        const { predicted } = COMPARED_NUMBERS[name](replayed.evaluated.metrics);
        const { low, high } = intervals[name] ?? { low: Number.NaN, high: Number.NaN };
        return ((50 * (high - low)) / (predicted ?? Number.NaN)).toFixed(1);
      });
      const label = sources.length === 1 ? sources[0] : "all";
      process.stdout.write(`${run.name} | ${label} | ${halfWidths.join(" | ")}\n`);
    }
  }
}
