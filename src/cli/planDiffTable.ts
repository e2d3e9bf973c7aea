import type { PlanDiff, ServerChange } from "../core/analysis/diff/planDiff.js";
import { type BothDefaults, configChangeTable } from "./configChangeTable.js";
import { signed } from "./signedNumber.js";
import { columnsOf, printNumber, textTable } from "./textTable.js";

const LEGEND = "* the intervals of the seeds' highest rates lie apart, so that it is no chance\n";

/** Two plans compared, for people: whether the answer is another, what was asked otherwise, then server by server. */
export function planDiffTable(diff: PlanDiff, defaults: BothDefaults): string {
  if (diff.isIdentical) return "A and B are identical: no question, no server and no number differs.\n";
  const { a, b, question, servers, onlyA, onlyB } = diff;
  const feasible = servers.filter(({ reasonA, reasonB }) => reasonA === null || reasonB === null);
  const alone = [
    ...onlyA.map((label) => `only A considered ${label}\n`),
    ...onlyB.map((label) => `only B considered ${label}\n`),
  ];
  const sections = [
    `${sentence(diff)}\n`,
    `A  ${a.name}\nB  ${b.name}\n`,
    configChangeTable(question, defaults, "asked"),
    feasible.length === 0
      ? ""
      : `${serverTable(feasible)}${feasible.some(({ isApart }) => isApart === true) ? LEGEND : ""}`,
    servers.flatMap(reasonLine).join(""),
    alone.join(""),
  ];
  return sections.filter((section) => section !== "").join("\n");
}

function sentence({ bestA, bestB, servers, question }: PlanDiff): string {
  const asked = question.length === 0 ? "the same question" : `${question.length} things asked otherwise`;
  const keeps = (side: string, best: string | null) =>
    best === null ? `nothing keeps the SLO in ${side}` : `${side} takes ${best}`;
  const answer =
    bestA !== bestB
      ? `The answer is another: ${keeps("A", bestA)}, ${keeps("B", bestB)}`
      : bestA === null
        ? "Nothing considered keeps the SLO in A or in B"
        : `A and B take the same server, ${bestA}${costWords(servers.find(({ label }) => label === bestA))}`;
  const moved = servers.filter(({ numbers }) => (numbers.highestRatePerS.change ?? 0) !== 0).length;
  const of = `the highest rate of ${moved} of the ${servers.length} servers in both differs`;
  return `${answer}; ${of}; ${asked}.`;
}

function costWords(server: ServerChange | undefined): string {
  if (server === undefined) return "";
  const { usdPerHour, gpus } = server.numbers;
  if (usdPerHour.a !== null && usdPerHour.b !== null && usdPerHour.change !== 0) {
    return `, for $${printNumber(usdPerHour.b, 2)}/h instead of $${printNumber(usdPerHour.a, 2)}/h`;
  }
  return gpus.change === 0 ? "" : `, ${gpus.b} GPUs instead of ${gpus.a}`;
}

function serverTable(servers: readonly ServerChange[]): string {
  const columns = columnsOf(
    "server",
    "req/s each A#",
    "B#",
    "%#",
    "replicas A#",
    "B#",
    "$/h A#",
    "B#",
    "%#",
    "$/M out A#",
    "B#",
    "%#",
  );
  return textTable(
    columns,
    servers.map(({ label, numbers, isApart }) => {
      const { highestRatePerS: rate, replicas, usdPerHour, usdPerMOutputTokens } = numbers;
      const change = ({ relative }: typeof rate) =>
        relative === null ? "–" : signed(100 * relative, (value) => printNumber(value));
      return [
        label,
        ...[rate.a, rate.b].map((value) => printNumber(value, 2)),
        `${change(rate)}${isApart === true ? "*" : " "}`,
        ...[replicas.a, replicas.b].map((value) => printNumber(value, 0)),
        ...[usdPerHour.a, usdPerHour.b].map((value) => printNumber(value, 2)),
        change(usdPerHour),
        ...[usdPerMOutputTokens.a, usdPerMOutputTokens.b].map((value) => printNumber(value, 2)),
        change(usdPerMOutputTokens),
      ];
    }),
  );
}

/** Servers that one side or both cannot use. */
function reasonLine({ label, reasonA, reasonB }: ServerChange): string[] {
  if (reasonA === null && reasonB === null) return [];
  if (reasonA === reasonB) return [`neither: ${label}: ${reasonA}\n`];
  return [
    ...(reasonA === null ? [] : [`not in A: ${label}: ${reasonA}\n`]),
    ...(reasonB === null ? [] : [`not in B: ${label}: ${reasonB}\n`]),
  ];
}
