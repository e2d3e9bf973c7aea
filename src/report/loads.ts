import type { LoadUnit } from "./sweepSections.js";

const UNIT_WORDS: Readonly<Record<LoadUnit, string>> = {
  requestsPerS: "requests/s",
  sessionsPerS: "sessions/s",
  streams: "streams",
};

export function unitWords(unit: LoadUnit): string {
  return UNIT_WORDS[unit];
}

/** A load without its unit, three digits: `22.7`. */
export function printLoad(load: number | null): string {
  return load === null ? "–" : String(Number(load.toPrecision(3)));
}

/** `≥ 22.7`: where no load was too much, the server may carry more than the largest. */
export function carriedWords(sustainedLoad: number | null, saturatedLoad: number | null): string {
  return `${sustainedLoad !== null && saturatedLoad === null ? "≥\u00a0" : ""}${printLoad(sustainedLoad)}`;
}

/** `22.7 requests/s`. */
export function loadWords(load: number, unit: LoadUnit): string {
  const words = unit === "streams" && load === 1 ? "stream" : UNIT_WORDS[unit];
  return `${printLoad(load)}\u00a0${words}`;
}
