import { keepsSlo, keptLoads } from "../../core/analysis/sweep/bestServers.js";
import { standing } from "../../core/analysis/sweep/saturation.js";
import { isMeasured, type MeasuredPoint } from "../../core/analysis/sweep/sweepPoint.js";
import type { SweepResult } from "../../core/analysis/sweep/sweepResult.js";
import { type Slo, sloName } from "../../core/metrics/slo.js";
import { US_PER_S } from "../../core/units/units.js";
import type { ReportPage } from "../../report/reportPage.js";
import type {
  LoadDistributionsSection,
  LoadStepsSection,
  SweepAnswerSection,
  SweepPointsSection,
  SweptPoint,
} from "../../report/sweepSections.js";
import { intervalOf, latencyNumbers, latencyTitle, loadCurveSections } from "./sweepCurves.js";
import { loadName, type SweptSeries, serverName, sweptServers, thinned } from "./sweptServers.js";

/** What a sweep's page is made from. */
export interface SweepPageParts {
  readonly result: SweepResult;
  /** Limits to draw, on statistics; null = none. */
  readonly slo: Slo | null;
  /** What is served on what, and what was swept. */
  readonly title: string;
  readonly subtitle: string;
}

/** Curves of one server: more cannot be told apart. */
const MOST_LOADS = 12;
/** Rows of the table: more are for a program to read. */
const MOST_ROWS = 1000;
/** Components of a step with a colour of their own. */
const MOST_COMPONENTS = 7;

/** The page of a sweep: where each server saturates, what loads do to latency, throughput and memory, what made it. */
export function sweepPage({ result, slo, title, subtitle }: SweepPageParts): ReportPage {
  const { version, config, grid, notes } = result;
  const servers = sweptServers(result);
  return {
    schema: "roofserve.report/1",
    version,
    title,
    subtitle,
    sections: [
      answerSection(result, servers, slo),
      ...loadCurveSections(servers, slo, grid.seeds.length),
      distributionsSection(servers),
      stepsSection(servers),
      pointsSection(result, servers, slo),
      {
        kind: "config",
        config: { config, grid },
        says: "What all points have in common, and what was varied: a point's config is the first with its values of the second.",
        notes,
      },
    ],
  };
}

function answerSection(
  { saturation: { best } }: SweepResult,
  servers: readonly SweptSeries[],
  slo: Slo | null,
): SweepAnswerSection {
  const drawn = servers.filter(({ isDrawn }) => isDrawn);
  const left = servers.filter(({ points }) => points.length > 0).length - drawn.length;
  const name = slo === null ? "" : slo.limits.map((limit) => `${sloName(limit)} ≤ ${limit.limitMs} ms`).join(", ");
  return {
    kind: "sweep-answer",
    says: [
      ...(best === null ? [] : [best.finding]),
      ...(servers.length > 1 && slo !== null ? [`The SLO is ${name}.`] : []),
      ...(left === 0 ? [] : [`Said and drawn are the ${drawn.length} servers that serve most; the tables have all.`]),
    ],
    servers: servers.map((server) => {
      const { unit, finding, sustainedLoad, saturatedLoad, latencyKnee, maxThroughput } = server.saturation;
      return {
        ...{ name: server.name, unit, finding, sustainedLoad, saturatedLoad, latencyKnee, maxThroughput },
        drawnAs: server.isDrawn ? drawn.indexOf(server) : null,
        slo: slo === null ? null : { name, keptLoad: keptLoads(server.points, slo).lastLoad },
      };
    }),
  };
}

function distributionsSection(servers: readonly SweptSeries[]): LoadDistributionsSection {
  return {
    kind: "load-distributions",
    servers: servers
      .filter(({ isDrawn }) => isDrawn)
      .map(({ name, points }) => ({
        name,
        loads: thinned(
          points.filter(({ quantiles }) => quantiles.e2eMs.length > 0),
          MOST_LOADS,
        ).map((point) => ({ name: loadName(point), quantiles: point.quantiles })),
      })),
  };
}

function stepsSection(servers: readonly SweptSeries[]): LoadStepsSection {
  const drawn = servers.filter(({ isDrawn }) => isDrawn);
  const totals = new Map<string, number>();
  for (const { bottleneck } of drawn.flatMap(({ points }) => points)) {
    for (const [name, fraction] of Object.entries(bottleneck)) totals.set(name, (totals.get(name) ?? 0) + fraction);
  }
  const names = [...totals].sort(([, a], [, b]) => b - a).map(([name]) => name);
  const own = names.slice(0, MOST_COMPONENTS);
  const rest = names.slice(MOST_COMPONENTS);
  return {
    kind: "load-steps",
    components: [...own, ...(rest.length === 0 ? [] : ["others"])],
    servers: drawn.map(({ name, points }) => ({
      name,
      loads: thinned(points, MOST_LOADS).map((point) => ({
        name: loadName(point),
        stepUs: meanStepUs(point),
        fractions: [
          ...own.map((component) => point.bottleneck[component] ?? 0),
          ...(rest.length === 0 ? [] : [rest.reduce((sum, component) => sum + (point.bottleneck[component] ?? 0), 0)]),
        ],
      })),
    })),
  };
}

/** GPU time of a step. */
function meanStepUs({ engine }: MeasuredPoint): number {
  return engine.steps === 0 ? 0 : (engine.busyFraction * engine.simulatedS * US_PER_S) / engine.steps;
}

function pointsSection(
  { points, saturation }: SweepResult,
  servers: readonly SweptSeries[],
  slo: Slo | null,
): SweepPointsSection {
  const numbers = latencyNumbers(slo);
  const rows = servers.flatMap(({ name, points }) =>
    points.map(
      (point): SweptPoint => ({
        server: name,
        load: loadName(point),
        standing: standing(point),
        requestsPerS: point.throughput.requestsPerS,
        outputTokensPerS: point.throughput.outputTokensPerS,
        latencies: numbers.map((number) => ({
          title: latencyTitle(number),
          ms: point[number.latency][number.statistic],
          interval: intervalOf(point, number),
        })),
        kvPeakUsedFraction: point.engine.kvPeakUsedFraction,
        preemptions: point.engine.preemptions,
        keptUpFraction: point.keptUpFraction,
        keepsSlo: slo === null ? null : keepsSlo(point, slo),
      }),
    ),
  );
  const failures = new Map<string, { server: string; loads: string[]; reason: string }>();
  for (const point of points) {
    if (isMeasured(point)) continue;
    const server = saturation.series.length === 1 ? "" : serverName(point.varied);
    const key = JSON.stringify([server, point.error]);
    const known = failures.get(key) ?? { server, loads: [], reason: point.error };
    failures.set(key, { ...known, loads: [...known.loads, loadName(point)] });
  }
  return {
    kind: "sweep-points",
    points: rows.slice(0, MOST_ROWS),
    numLeftOut: Math.max(0, rows.length - MOST_ROWS),
    failures: [...failures.values()],
  };
}
