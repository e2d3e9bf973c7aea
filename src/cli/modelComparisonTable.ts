import type { StepModelName } from "../core/config/pricingConfig.js";
import type { Comparison } from "../core/evaluation/compareRun.js";
import type { ErrorsByMetric, EvaluatedRun, EvaluationReport } from "../core/evaluation/evaluationReport.js";
import { pricedByLine, signedPercent } from "./evaluationTable.js";
import { numberColumns, printNumber, textTable } from "./textTable.js";

/** The same runs as another step model predicts them. */
export interface ModelEvaluation {
  readonly stepModel: StepModelName;
  readonly report: EvaluationReport;
}

/** What the models are compared by. */
const METRICS: readonly [title: string, pick: (run: EvaluatedRun) => Comparison, key: keyof ErrorsByMetric][] = [
  ["E2E mean", ({ metrics }) => metrics.e2eMs.mean, "e2eMeanApe"],
  ["TTFT p50", ({ metrics }) => metrics.ttftMs.p50, "ttftP50Ape"],
  ["ITL mean", ({ metrics }) => metrics.itlMs.mean, "itlMeanApe"],
];

/** The step models side by side: one table a metric, a line a run, and the mean |error| below. */
export function modelComparisonTable(models: readonly ModelEvaluation[]): string {
  const names = models[0]?.report.experiments.map(({ name, excluded }) =>
    excluded === null ? name : `${name} (excluded)`,
  );
  const tables = METRICS.map(([title, pick, key]) => {
    const rows = (names ?? []).map((name, i) => [
      name,
      ...models.map(({ report }) => signedPercent(pick(report.experiments[i] as EvaluatedRun))),
    ]);
    const means = ["mean |error|", ...models.map(({ report }) => printNumber(report.summary[key].mean))];
    const columns = numberColumns(`${title}, error %`, ...models.map(({ stepModel }) => stepModel));
    return textTable(columns, [...rows, means]);
  });
  return `${pricedByLine(models[0]?.report)}${tables.join("\n")}`;
}
