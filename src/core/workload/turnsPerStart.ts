import { createStream } from "../des/streams.js";
import { clampTurns, type WorkloadData } from "./dataConfig.js";
import { createLengthSampler } from "./lengthSampler.js";

/** Draws that the mean of a distribution is taken of: to 0.5 % where it varies half as much as its mean. */
const NUM_DRAWS = 10_000;

/**
 * Requests that follow from each arrival, in the long run: the mean number of turns where data has sessions, else 1. A run
 * that ends by a number of requests has fewer, since its last sessions are cut off.
 */
export function turnsPerStart(data: WorkloadData): number {
  if (data.kind === "synthetic") return data.turns;
  if (data.kind !== "lengths" || data.session === null) return 1;
  const { turns } = data.session;
  if (turns.kind === "fixed") return clampTurns(turns.tokens);
  const sample = createLengthSampler(turns, createStream(0, "turns"));
  let sum = 0;
  for (let i = 0; i < NUM_DRAWS; i++) sum += clampTurns(sample());
  return sum / NUM_DRAWS;
}

/** Whether arrivals are sessions, of which each may ask several times. */
export function hasSessions(data: WorkloadData): boolean {
  return data.kind === "synthetic" ? data.turns > 1 : data.kind === "lengths" && data.session !== null;
}
