import type { ComparedNumber } from "../core/evaluation/uncertainty/comparedNumbers.js";

/** What the compared numbers are called in tables. */
export const COMPARED_TITLES: Readonly<Record<ComparedNumber, string>> = {
  "e2eMs.mean": "E2E mean ms",
  "e2eMs.p50": "E2E p50 ms",
  "e2eMs.p90": "E2E p90 ms",
  "e2eMs.p99": "E2E p99 ms",
  "ttftMs.mean": "TTFT mean ms",
  "ttftMs.p50": "TTFT p50 ms",
  "ttftMs.p90": "TTFT p90 ms",
  "ttftMs.p99": "TTFT p99 ms",
  "itlMs.mean": "ITL mean ms",
  "itlMs.p50": "ITL p50 ms",
  "itlMs.p90": "ITL p90 ms",
  "itlMs.p99": "ITL p99 ms",
  outputTokensPerS: "output tokens/s",
};
