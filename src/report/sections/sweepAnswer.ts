import { seriesColor } from "../colors.js";
import { dataTable } from "../dataTable.js";
import { element, section } from "../element.js";
import { carriedWords, loadWords, printLoad, unitWords } from "../loads.js";
import { printCount, withUnitsKept } from "../numbers.js";
import { MOST_DRAWN_SERVERS, type SweepAnswerSection, type SweptServer } from "../sweepSections.js";
import { type Tile, tileGrid } from "../tiles.js";

/** Where each server saturates: a sentence each, then in numbers. */
export function sweepAnswer({ says, servers }: SweepAnswerSection): HTMLElement {
  const [only, ...others] = servers;
  const isOne = only !== undefined && others.length === 0;
  return section(
    "answer",
    "Answer",
    ...(isOne
      ? [element("p", { class: "lead" }, withUnitsKept(only.finding))]
      : [element("ul", { class: "findings" }, ...saidOf(servers).map(findingItem))]),
    ...says.map((sentence) => element("p", {}, withUnitsKept(sentence))),
    isOne ? tileGrid(tilesOf(only)) : dataTable(serverTable(servers), "What each server carries"),
  );
}

/** All, unless they are so many that not all are drawn: then those that are. */
function saidOf(servers: readonly SweptServer[]): readonly SweptServer[] {
  return servers.length <= MOST_DRAWN_SERVERS ? servers : servers.filter(({ drawnAs }) => drawnAs !== null);
}

function findingItem({ name, finding, drawnAs }: SweptServer): HTMLElement {
  const swatch = element("span", { class: "swatch", "aria-hidden": "true" });
  swatch.style.setProperty("--color", drawnAs === null ? "transparent" : seriesColor(drawnAs));
  return element("li", {}, swatch, element("span", {}, element("strong", {}, name), ` ${withUnitsKept(finding)}`));
}

function tilesOf({ unit, sustainedLoad, saturatedLoad, latencyKnee, maxThroughput, slo }: SweptServer): Tile[] {
  const carries: Tile = {
    name: "Carries",
    title: "the largest load tried up to which no queue grows and throughput follows",
    metric: "memory",
    value: carriedWords(sustainedLoad, saturatedLoad),
    unit: unit === null || sustainedLoad === null ? "" : unitWords(unit),
    details: [carriedDetail(sustainedLoad, saturatedLoad)],
  };
  const bends: Tile = {
    name: "Latency bends",
    title: "more load costs more latency than it buys throughput from here on",
    metric: "e2e",
    value: printLoad(latencyKnee?.load ?? null),
    unit: latencyKnee === null || unit === null ? "" : unitWords(unit),
    details: latencyKnee === null ? ["at none of the loads"] : ["greatest throughput ÷ latency"],
  };
  const most: Tile = {
    name: "Most served",
    title: "the most that was served at any load",
    metric: "throughput",
    value: printCount(maxThroughput?.requestsPerS),
    unit: "requests/s",
    details: [`${printCount(maxThroughput?.outputTokensPerS)} output tokens/s`],
  };
  return [
    ...(unit === null || unit === "streams" ? [] : [carries]),
    ...(unit === null ? [] : [bends]),
    most,
    ...(slo === null || unit === null
      ? []
      : [
          {
            name: "Within the SLO",
            title: "the largest load that keeps the SLO",
            metric: "ttft",
            value: printLoad(slo.keptLoad),
            unit: unitWords(unit),
            details: [slo.keptLoad === null ? `no load keeps ${slo.name}` : slo.name],
          } as const,
        ]),
  ];
}

function carriedDetail(sustainedLoad: number | null, saturatedLoad: number | null): string {
  if (saturatedLoad !== null) return `${printLoad(saturatedLoad)} is too much`;
  return sustainedLoad === null ? "the runs are too short to tell" : "no load tried is too much";
}

function serverTable(servers: readonly SweptServer[]) {
  const hasSlo = servers.some(({ slo }) => slo !== null);
  const load = (value: number | null, { unit }: SweptServer): string =>
    value === null || unit === null ? "–" : loadWords(value, unit);
  return {
    columns: [
      "server",
      "carries",
      "saturated by",
      "latency bends",
      ...(hasSlo ? ["within the SLO"] : []),
      "most requests/s",
      "output tokens/s",
    ],
    rows: servers.map((server) => [
      server.name,
      server.sustainedLoad === null || server.unit === null
        ? "–"
        : `${carriedWords(server.sustainedLoad, server.saturatedLoad)}\u00a0${unitWords(server.unit)}`,
      load(server.saturatedLoad, server),
      load(server.latencyKnee?.load ?? null, server),
      ...(hasSlo ? [server.slo?.keptLoad == null ? "no load" : load(server.slo.keptLoad, server)] : []),
      printCount(server.maxThroughput?.requestsPerS),
      printCount(server.maxThroughput?.outputTokensPerS),
    ]),
  };
}
