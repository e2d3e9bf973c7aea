import type { BinnedCounts } from "./binnedCounts.js";
import type { RequestRecord } from "./requestRecord.js";

/** Time that a client sees and no part of the simulated server explains; it delays the client's view, not the server. */
export interface ClientResidual {
  /** Per output token, µs: token n comes n times this later. */
  readonly usPerOutputToken: number;
  /** Per prompt token, µs, before the first token. */
  readonly usPerPromptToken: number;
  /** Per request, µs, before the first token. */
  readonly usPerRequest: number;
}

/**
 * Moves what clients saw by the residual. A negative one takes no more than the request spent before it was first
 * scheduled, and nothing between tokens: never faster than its steps.
 */
export function withClientResidual(record: RequestRecord, residual: ClientResidual): RequestRecord {
  if (Number.isNaN(record.firstTokenUs)) return record;
  const beforeUs = residual.usPerRequest + residual.usPerPromptToken * record.numPromptTokens;
  const shiftUs = Math.max(beforeUs, record.arrivalUs - record.firstScheduledUs);
  const perTokenUs = Math.max(0, residual.usPerOutputToken);
  return {
    ...record,
    firstTokenUs: Math.round(record.firstTokenUs + shiftUs + perTokenUs),
    lastTokenUs: Math.round(record.lastTokenUs + shiftUs + perTokenUs * record.numOutputTokens),
  };
}

/** Moves the times between tokens as `withClientResidual` moves the tokens: each is as much longer. */
export function gapsWithClientResidual(gapsUs: BinnedCounts, { usPerOutputToken }: ClientResidual): BinnedCounts {
  return usPerOutputToken > 0 ? gapsUs.shifted(usPerOutputToken) : gapsUs;
}
