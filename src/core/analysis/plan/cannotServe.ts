import type { SloCheck } from "../../metrics/sloCheck.js";
import type { PlanTrial } from "./planTrial.js";

/** A server that cannot be, or holds the SLO at no load: ends the search for it. */
export class CannotServe extends Error {}

/** `p99 TTFT 612 ms > 500 ms`. */
export function brokenText({ name, value, limit }: SloCheck): string {
  if (name === "goodput") return `goodput ${percent(value ?? 0)} < ${percent(limit)}`;
  return value === null ? `too few requests complete for a ${name}` : `${name} ${ms(value)} > ${ms(limit)}`;
}

/** What a trial breaks: names of checks, or what grows. */
export function brokenNames({ checks, isOverrun }: PlanTrial): string[] {
  const names = checks.filter(({ isMet }) => !isMet).map(({ name }) => name);
  if (names.length > 0) return names;
  return [isOverrun ? "growing queue" : "requests in service that grow"];
}

export function printRate(perS: number): string {
  return `${Number(perS.toPrecision(2))} requests/s`;
}

function percent(fraction: number): string {
  return `${Number((100 * fraction).toFixed(1))} %`;
}

function ms(value: number): string {
  return `${Number(value.toPrecision(3))} ms`;
}
