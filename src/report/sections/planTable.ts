import { dataTable } from "../dataTable.js";
import { element, section } from "../element.js";
import { printLoad } from "../loads.js";
import { printUsd } from "../money.js";
import { printMs } from "../numbers.js";
import type { PlanTableSection } from "../planSections.js";
import { intervalWords } from "./planRates.js";

/** Every plan in numbers, what cannot be and why, and the prices. */
export function planTable({ plans, infeasible, prices, rateUnit }: PlanTableSection): HTMLElement {
  return section(
    "plans",
    "Every server considered",
    ...(plans.length === 0
      ? [element("p", {}, "None keeps the SLO.")]
      : [
          dataTable(table(plans, rateUnit), "Every server that keeps the SLO, cheapest first"),
          element("p", { class: "note" }, "Cheapest first; latencies at the load that each is to carry."),
        ]),
    ...(infeasible.length === 0
      ? []
      : [
          element("h3", { class: "failed" }, "What cannot keep it"),
          dataTable(
            {
              columns: ["server", "reason"],
              rows: infeasible.map(({ name, reason }) => [name, reason]),
              wordColumns: ["reason"],
            },
            "Servers that cannot keep the SLO, with the reason",
          ),
        ]),
    ...(prices.length === 0
      ? []
      : [
          element("h3", { class: "failed" }, "Prices"),
          dataTable(
            {
              columns: ["GPU", "vendor", "an hour", "read on", "source"],
              rows: prices.map(({ gpu, vendor = "–", usdPerGpuHour, source, date }) => [
                gpu,
                vendor,
                printUsd(usdPerGpuHour),
                date,
                source,
              ]),
              wordColumns: ["source"],
            },
            "Prices, each with its source and date",
          ),
        ]),
  );
}

function table(plans: PlanTableSection["plans"], rateUnit: PlanTableSection["rateUnit"]) {
  return {
    columns: [
      "server",
      `${rateUnit}/s each`,
      "interval",
      "broken above by",
      "replicas",
      "GPUs",
      "$/h",
      "$/M out",
      "$/M tokens",
      "TTFT p99",
      "ITL mean",
      "E2E mean",
      "unbeaten",
    ],
    rows: plans.map((plan) => [
      plan.name,
      printLoad(plan.highestRatePerS),
      intervalWords(plan),
      plan.brokenAbove.join(", "),
      String(plan.replicas),
      String(plan.gpus),
      plan.usdPerHour === null ? "no price" : printUsd(plan.usdPerHour),
      printUsd(plan.usdPerMOutputTokens),
      printUsd(plan.usdPerMTokens),
      printMs(plan.ttftP99Ms),
      printMs(plan.itlMeanMs),
      printMs(plan.e2eMeanMs),
      plan.isPareto ? "yes" : "",
    ]),
  };
}
