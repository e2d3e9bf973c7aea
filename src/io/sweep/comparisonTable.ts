import type { Comparison } from "../../core/evaluation/compareRun.js";
import { regimeGroup } from "../../core/metrics/regimeErrors.js";
import { csvLine } from "../results/csvCells.js";
import type { MeasuredSweep } from "./compareMeasuredSweep.js";

type Benchmark = MeasuredSweep["benchmarks"][number];

/** One number of a measured sweep beside its prediction. */
export interface ComparedQuantity extends Comparison {
  /** `synchronous`, `throughput`, `constant 1.09/s`; of the sweep's own rates `constant 1`, `constant 2`, …. */
  readonly load: string;
  /** `requests_per_s` is one of the sweep's own rates; latencies are `e2e_ms_mean` and so on. */
  readonly quantity: string;
  /** The benchmark it is of; null for the sweep's own rates. */
  readonly benchmark: Benchmark | null;
}

/** Predicted over measured, less one, in percent; null where either is missing. */
export function errorPercent({ measured, predicted, ape }: Comparison): number | null {
  return ape === null || measured === null || predicted === null ? null : Math.sign(predicted - measured) * ape;
}

/** Every number compared: the sweep's own rates, then each benchmark's. */
export function comparedQuantities({ rates, benchmarks }: MeasuredSweep): ComparedQuantity[] {
  const rate = (load: string, comparison: Comparison): ComparedQuantity => {
    return { load, quantity: "requests_per_s", benchmark: null, ...comparison };
  };
  const own =
    rates === null
      ? []
      : [
          rate("synchronous", rates.synchronousPerS),
          rate("throughput", rates.throughputPerS),
          ...rates.constantPerS.map((comparison, i) => rate(`constant ${i + 1}`, comparison)),
        ];
  return [...own, ...benchmarks.flatMap(quantitiesOf)];
}

function quantitiesOf(benchmark: Benchmark): ComparedQuantity[] {
  const { strategy, rate, metrics } = benchmark;
  const load = rate === null ? strategy : `${strategy} ${Number(rate.toPrecision(3))}/s`;
  const latencies = (["e2eMs", "ttftMs", "itlMs"] as const).flatMap((latency) =>
    Object.entries(metrics[latency]).map(([statistic, comparison]: [string, Comparison]) => {
      return { load, quantity: `${latency.slice(0, -2)}_ms_${statistic}`, benchmark, ...comparison };
    }),
  );
  return [...latencies, { load, quantity: "output_tokens_per_s", benchmark, ...metrics.outputTokensPerS }];
}

/** How near the prediction came, in a sentence: the largest error of each kind, and where end-to-end latency errs most. */
export function comparisonFinding(sweep: MeasuredSweep): string {
  const compared = comparedQuantities(sweep).filter(({ benchmark }) => (benchmark?.excluded ?? null) === null);
  const sorted = (quantity: string) =>
    compared.filter((one) => one.quantity === quantity && one.ape !== null).sort((a, b) => b.ape! - a.ape!);
  const within = (name: string, quantity: string): string[] => {
    const [worst, next] = sorted(quantity);
    if (worst === undefined) return [];
    const { benchmark } = worst;
    const isEqual = next !== undefined && percent(sorted(quantity).at(-1)!.ape!) === percent(worst.ape!);
    const others = next === undefined ? "" : `; the others within ${percent(next.ape!)}`;
    const where =
      quantity !== "e2e_ms_mean" || benchmark === null || isEqual
        ? ""
        : ` (worst at ${standing(worst.load, benchmark)}${others})`;
    return [`${name} within ${percent(worst.ape!)}${where}`];
  };
  const parts = [
    ...within("rates", "requests_per_s"),
    ...within("E2E", "e2e_ms_mean"),
    ...within("TTFT", "ttft_ms_mean"),
    ...within("ITL", "itl_ms_mean"),
  ];
  if (parts.length === 0) return "Nothing measured can be compared.";
  const text = parts.join(", ");
  return `${text.charAt(0).toUpperCase()}${text.slice(1)}.`;
}

function standing(load: string, { regime }: Benchmark): string {
  const group = regimeGroup(regime);
  return group === "closedLoop" ? load : `${load}, ${group} saturation`;
}

function percent(ape: number): string {
  return `${ape.toFixed(1)} %`;
}

/** A row for each number compared, header first. */
export function* comparisonCsvLines(sweeps: readonly MeasuredSweep[]): Generator<string> {
  yield "experiment,load,strategy,rate,quantity,measured,predicted,error_percent,excluded\n";
  for (const sweep of sweeps) {
    for (const compared of comparedQuantities(sweep)) {
      const { load, quantity, benchmark, measured, predicted } = compared;
      const head = [sweep.name, load, benchmark?.strategy ?? null, benchmark?.rate ?? null, quantity];
      const cells = [...head, measured, predicted, errorPercent(compared), benchmark?.excluded ?? null];
      yield csvLine(cells);
    }
  }
}
