import { evaluateRun } from "../../src/core/evaluation/evaluateRun.js";
import { type EvaluatedRun, evaluationReport } from "../../src/core/evaluation/evaluationReport.js";
import { REGIME_GROUPS, type SeenErrors } from "../../src/core/metrics/regimeErrors.js";
import { measuredConfig } from "../../src/io/groundTruth/measuredConfig.js";
import { readMeasuredExperiments } from "../../src/io/groundTruth/readMeasuredExperiments.js";
import { loadDeployment } from "../../src/io/loadDeployment.js";

/** Prints the errors over measured runs by regime, as `src/core/metrics/regimeErrors.ts` holds them. */
const runs = process.argv.slice(2).flatMap((path) => readMeasuredExperiments(path, null).flatMap(evaluated));
const { byRegime } = evaluationReport(runs).summary;
for (const group of REGIME_GROUPS) {
  const { numRuns, e2eMeanApe, ttftMeanApe, itlMeanApe } = byRegime[group];
  const percent = (value: number | null) => Number((value ?? Number.NaN).toFixed(1));
  const seen: SeenErrors | null =
    numRuns === 0
      ? null
      : {
          numRuns,
          e2eMeanApe: percent(e2eMeanApe.mean),
          e2eMeanApeMax: percent(e2eMeanApe.max),
          ttftMeanApe: percent(ttftMeanApe.mean),
          itlMeanApe: percent(itlMeanApe.mean),
        };
  process.stdout.write(`${group}: ${JSON.stringify(seen)}\n`);
}

function evaluated(experiment: ReturnType<typeof readMeasuredExperiments>[number]): EvaluatedRun[] {
  const config = measuredConfig(experiment, {});
  const deployment = loadDeployment(config);
  return experiment.runs.map((run) => evaluateRun(deployment, config, run).evaluated);
}
