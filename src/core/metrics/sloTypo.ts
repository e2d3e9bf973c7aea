import { nearestName } from "../config/nearestName.js";

/** The words of which limits are made. */
export interface SloWords {
  readonly statistics: readonly string[];
  readonly latencies: readonly string[];
}

/** `p99 tft=500 msec`: words, a comparison, a number and a unit, none of them as it should be. */
const LOOSE_LIMIT = /^\s*(?:([a-z][a-z0-9.]*)[\s_-]+)?([a-z][a-z0-9]*)\s*([<>=:]+)\s*([\d.]+)\s*([a-z]*)\s*$/i;

/**
 * The limit that somebody meant who wrote one wrong: each word by the nearest known one, any comparison as an upper limit.
 * @param isLimit what is suggested must be one
 */
export function nearestLimit(
  part: string,
  { statistics, latencies }: SloWords,
  isLimit: (text: string) => boolean,
): string | null {
  const [, statistic, latency, , number, unit = ""] = LOOSE_LIMIT.exec(part) ?? [];
  if (latency === undefined) return null;
  const meant = nearestName(latency, latencies);
  const over = statistic === undefined ? "" : nearestStatistic(statistic, statistics);
  if (meant === null || over === null) return null;
  const text = `${over} ${meant}<=${number}${nearestUnit(unit)}`.trim();
  return isLimit(text) ? text : null;
}

/** Of percentiles the nearest number, not the nearest spelling. */
function nearestStatistic(word: string, statistics: readonly string[]): string | null {
  const percent = percentOf(word);
  if (percent === null) return nearestName(word, statistics);
  const known = statistics.filter((statistic) => percentOf(statistic) !== null);
  const distance = (statistic: string) => Math.abs((percentOf(statistic) ?? 0) - percent);
  return known.sort((a, b) => distance(a) - distance(b))[0] ?? null;
}

function percentOf(word: string): number | null {
  const [, digits] = /^p(\d+(?:\.\d+)?)$/i.exec(word) ?? [];
  return digits === undefined ? null : Number(digits);
}

/** `msec`, `millis` → ms; `sec` → s. */
function nearestUnit(word: string): string {
  return /^m/i.test(word) ? "ms" : word.slice(0, 1).toLowerCase();
}
