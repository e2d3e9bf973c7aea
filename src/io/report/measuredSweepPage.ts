import { ROOFSERVE_VERSION } from "../../core/engine/version.js";
import type { Comparison } from "../../core/evaluation/compareRun.js";
import { evaluationReport } from "../../core/evaluation/evaluationReport.js";
import { regimeGroup } from "../../core/metrics/regimeErrors.js";
import type { EvaluationAnswerSection, ReportPage } from "../../report/reportPage.js";
import type { LoadCurve, LoadCurvesSection, LoadPlot } from "../../report/sweepSections.js";
import type { MeasuredSweep } from "../sweep/compareMeasuredSweep.js";

type Benchmark = MeasuredSweep["benchmarks"][number];

const NUMBERS: readonly { readonly title: string; readonly of: (benchmark: Benchmark) => Comparison }[] = [
  { title: "TTFT mean", of: ({ metrics }) => metrics.ttftMs.mean },
  { title: "ITL mean", of: ({ metrics }) => metrics.itlMs.mean },
  { title: "E2E mean", of: ({ metrics }) => metrics.e2eMs.mean },
  { title: "E2E p99", of: ({ metrics }) => metrics.e2eMs.p99 },
];

/**
 * The page of measured GuideLLM sweeps: both worlds over the rates, every number predicted against measured.
 * @param config what the command line set beside what the files say
 */
export function measuredSweepPage(sweeps: readonly MeasuredSweep[], config: object): ReportPage {
  const [first] = sweeps;
  const isOne = sweeps.length === 1;
  const server = first === undefined ? "" : `${first.model} on ${first.tensorParallelSize} × ${first.gpu}`;
  return {
    schema: "roofserve.report/1",
    version: ROOFSERVE_VERSION,
    title: isOne ? `${first?.name}, measured and predicted` : `${sweeps.length} measured sweeps, and predicted`,
    subtitle: isOne ? server : sweeps.map(({ name }) => name).join(", "),
    sections: [
      answerSection(sweeps),
      ...sweeps.map((sweep, i) => ratesSection(sweep, i, isOne)),
      {
        kind: "scatter",
        runs: sweeps.flatMap(({ name, benchmarks }) =>
          benchmarks.map(({ metrics, excluded, regime, strategy, rate }) => ({
            name: `${isOne ? "" : `${name}, `}${strategy}${rate === null ? "" : ` ${threeDigits(rate)}/s`}`,
            ...{ metrics, excluded, regime },
          })),
        ),
      },
      {
        kind: "config",
        config,
        says: "What the command line set; everything else comes from the measured runs' own files.",
        notes: [],
      },
    ],
  };
}

/** How far the predictions are off, over all benchmarks. */
function answerSection(sweeps: readonly MeasuredSweep[]): EvaluationAnswerSection {
  const runs = sweeps.flatMap(({ benchmarks }) => benchmarks);
  const { coverage: _coverage, breakdown: _breakdown, ...summary } = evaluationReport(runs).summary;
  const numExcluded = runs.filter(({ excluded }) => excluded !== null).length;
  return { kind: "evaluation-answer", summary, numRuns: runs.length - numExcluded, numExcluded };
}

/** Benchmarks that have a rate, measured and predicted beside each other. */
function ratesSection({ name, rates, benchmarks }: MeasuredSweep, index: number, isOne: boolean): LoadCurvesSection {
  const rated = benchmarks.filter(({ rate }) => rate !== null).sort((a, b) => (a.rate ?? 0) - (b.rate ?? 0));
  const curve = (world: string): LoadCurve => ({
    name: world,
    loads: rated.map(({ rate }) => rate ?? 0),
    standings: rated.map(({ regime }) => regimeGroup(regime)),
    kneeLoad: null,
    saturation: null,
  });
  const plots = NUMBERS.map(({ title, of }): LoadPlot => {
    const comparisons = rated.map(of);
    const values = [comparisons.map(({ measured }) => measured), comparisons.map(({ predicted }) => predicted)];
    return { title, quantity: "ms", values, intervals: null, limits: [], hasDiagonal: false };
  });
  return {
    kind: "load-curves",
    id: isOne ? "latency" : `latency-${index}`,
    heading: isOne ? "Latency by rate, measured and predicted" : name,
    says: `${rated.length} benchmarks at the rates and arrivals of the file. ${ratesWords(rates)}`,
    unit: "requestsPerS",
    curves: rated.length === 0 ? [] : [curve("measured"), curve("predicted")],
    plots,
  };
}

/** What the sweep's own rates would have been. */
function ratesWords(rates: MeasuredSweep["rates"]): string {
  if (rates === null) return "";
  const words = ({ measured, predicted }: Comparison) =>
    `${threeDigits(measured)} measured, ${threeDigits(predicted)} predicted`;
  return `Requests/s that the sweep calibrates itself by: synchronous ${words(rates.synchronousPerS)}; throughput ${words(rates.throughputPerS)}.`;
}

function threeDigits(value: number | null): string {
  return value === null ? "–" : String(Number(value.toPrecision(3)));
}
