import { element, section } from "../element.js";
import { printLoad } from "../loads.js";
import { printUsd } from "../money.js";
import { printMs, withUnitsKept } from "../numbers.js";
import type { PlanAnswerSection, PlannedServer } from "../planSections.js";
import { type Tile, tileGrid } from "../tiles.js";

/** The plan to take. */
export function planAnswer({ answer, best, targetRequestsPerS, rateUnit }: PlanAnswerSection): HTMLElement {
  return section(
    "answer",
    "Answer",
    element("p", { class: "lead" }, withUnitsKept(answer)),
    ...(best === null ? [] : [tileGrid(tilesOf(best, targetRequestsPerS, rateUnit))]),
  );
}

function tilesOf(
  best: PlannedServer,
  targetRequestsPerS: number | null,
  rateUnit: PlanAnswerSection["rateUnit"],
): Tile[] {
  const { replicas, gpus, rateInterval, ratePerReplicaPerS } = best;
  return [
    {
      name: "Carries",
      title: "the most one replica carries within the SLO",
      metric: "throughput",
      value: printLoad(best.highestRatePerS),
      unit: `${rateUnit}/s each`,
      details: [
        ...(rateInterval === null
          ? []
          : [`over the seeds ${printLoad(rateInterval.low)} to ${printLoad(rateInterval.high)}`]),
        ...(best.brokenAbove.length === 0 ? [] : [`above it ${best.brokenAbove.join(", ")} breaks`]),
      ],
    },
    {
      name: "GPUs",
      title: "GPUs of all replicas",
      metric: "memory",
      value: String(gpus),
      unit: gpus === 1 ? "GPU" : "GPUs",
      details: [
        replicas === 1 ? "one replica" : `${replicas} replicas`,
        ...(targetRequestsPerS === null ? [] : [`each gets ${printLoad(ratePerReplicaPerS)} ${rateUnit}/s`]),
      ],
    },
    {
      name: "Cost",
      title: "cost by the prices below",
      metric: "itl",
      value: best.usdPerHour === null ? "no price" : printUsd(best.usdPerHour),
      unit: best.usdPerHour === null ? "" : "an hour",
      details: best.usdPerHour === null ? [] : [`${printUsd(best.usdPerMOutputTokens)} per million output tokens`],
    },
    {
      name: "E2E",
      title: "end to end, at that load",
      metric: "e2e",
      value: printMs(best.e2eMeanMs),
      unit: "mean",
      details: [`TTFT: 99 % within ${printMs(best.ttftP99Ms)}`],
    },
  ];
}
