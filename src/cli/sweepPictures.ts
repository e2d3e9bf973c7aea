import { isMeasured, type MeasuredPoint, type PointResult } from "../core/analysis/sweep/sweepPoint.js";
import { sparkline } from "./sparkline.js";
import { printMs, printNumber } from "./textTable.js";

/** What is drawn over the loads. */
interface Quantity {
  readonly title: string;
  readonly pick: (point: MeasuredPoint) => number | null;
  readonly print: (value: number) => string;
}

const QUANTITIES = [
  { title: "TTFT p99", pick: ({ ttftMs }) => ttftMs.p99, print: printMs },
  { title: "E2E mean", pick: ({ e2eMs }) => e2eMs.mean, print: printMs },
  { title: "req/s", pick: ({ throughput }) => throughput.requestsPerS, print: (perS) => printNumber(perS, 2) },
] as const satisfies readonly Quantity[];
type QuantityTitle = (typeof QUANTITIES)[number]["title"];

/** From the smallest value to the largest in this ratio a scale from 0 would show most values as its lowest bar. */
const LOG_SPREAD = 20;

/** From `least` to `most`: logarithmic where `least` is above 0, else linear. */
interface Scale {
  readonly least: number;
  readonly most: number;
}

/** Fewer points say no more in bars than in numbers. */
const MIN_POINTS = 3;

/** How the numbers of a sweep go over its loads, in bars of the same scale for all of its servers. */
export class SweepPictures {
  readonly #scales = new Map<QuantityTitle, Scale>();
  readonly #isDrawn: boolean;

  /** @param servers the points of each */
  constructor(servers: readonly (readonly PointResult[])[]) {
    const drawn = servers.map(drawnPoints);
    for (const { title, pick } of QUANTITIES) this.#scales.set(title, scaleOf(drawn.flat().map(pick)));
    this.#isDrawn = servers.length > 1 ? drawn.flat().length > 0 : (drawn[0] ?? []).length >= MIN_POINTS;
  }

  /** A bar for each load of a server. */
  bars(title: QuantityTitle, server: readonly PointResult[]): string {
    const { pick } = QUANTITIES.find((quantity) => quantity.title === title) as Quantity;
    const { least, most } = this.#scales.get(title) as Scale;
    return sparkline(drawnPoints(server).map(pick), most, least);
  }

  /** A line for each quantity of a server; nothing for too few points. */
  lines(server: readonly PointResult[]): string {
    if (drawnPoints(server).length < MIN_POINTS) return "";
    return QUANTITIES.map(({ title }) => `${title.padEnd(8)} ${this.bars(title, server)}\n`).join("");
  }

  /** What the lowest and the tallest bar stand for, in a line; nothing where none is drawn. */
  key(): string {
    if (!this.#isDrawn) return "";
    const ends = QUANTITIES.flatMap(({ title, print }) => {
      const { least, most } = this.#scales.get(title) as Scale;
      if (most === 0) return [];
      return least > 0 ? `${title} from ${print(least)} to ${print(most)} (log)` : `${title} from 0 to ${print(most)}`;
    });
    return ends.length === 0 ? "" : `bars: ${ends.join(", ")}\n`;
  }
}

/** Points by load; those of a GuideLLM sweep that calibrate it have none, and are no part of the picture. */
function drawnPoints(points: readonly PointResult[]): readonly MeasuredPoint[] {
  const measured = points.filter(isMeasured);
  const loaded = measured.filter(({ rate, streams }) => (rate ?? streams) !== null);
  return loaded.length === 0 ? measured : loaded;
}

function scaleOf(values: readonly (number | null)[]): Scale {
  const shown = values.filter((value) => value !== null && value > 0) as number[];
  if (shown.length === 0) return { least: 0, most: 0 };
  const [least, most] = [Math.min(...shown), Math.max(...shown)];
  return { least: most > LOG_SPREAD * least ? least : 0, most };
}
