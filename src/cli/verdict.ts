import type { RunSummary } from "../core/engine/simulate.js";
import { trust } from "./regimeWords.js";
import { printMs, printNumber } from "./textTable.js";

/** Tokens per second that a fast reader follows: 300 words a minute at 0.75 words per token. */
const READING_TOKENS_PER_S = 6.7;
/** A wait before the first schedule that users notice, ms. */
const NOTICEABLE_WAIT_MS = 1000;
const MS_PER_S = 1000;

/** Share of time above which the front end, not the GPU, sets the pace. */
const FRONT_END_LIMIT = 0.9;

/**
 * What the numbers mean, in three sentences: what a user sees, whether the server keeps up with the load, and how far
 * to trust that.
 */
export function verdict(summary: RunSummary): string {
  const { ttftMs, tpotMs } = summary;
  if (ttftMs.p50 === null || ttftMs.p99 === null) {
    const why = summary.requests.aborted > 0 ? "the clients gave up first; try a lower --rate" : "nothing to judge";
    return `No request was completed: ${why}.`;
  }
  const seen = `Half of the users see a first token within ${printMs(ttftMs.p50)}, 99 % within ${printMs(ttftMs.p99)}`;
  return `${seen}${speed(tpotMs.p50)}.\n${load(summary)}\n${trust(summary.regime)}`;
}

function speed(tpotMs: number | null): string {
  if (tpotMs === null || tpotMs <= 0) return "";
  const tokensPerS = MS_PER_S / tpotMs;
  const times = tokensPerS / READING_TOKENS_PER_S;
  const comparison =
    times >= 1.5 ? `, ${printNumber(times, 0)} times as fast as people read` : ", about as fast as people read";
  return `; then text comes at ${printNumber(tokensPerS, 0)} tokens/s${times >= 0.8 ? comparison : ", slower than people read"}`;
}

function load({ config, queueMs, engine, requests, regime }: RunSummary): string {
  const { kind } = config.workload.profile;
  const waited = `requests wait ${printMs(queueMs.p50 ?? 0)} in the median before they start (99 %: ${printMs(queueMs.p99 ?? 0)})`;
  const pressed = engine.preemptions > 0 ? ` The KV cache was full: ${engine.preemptions} preemptions.` : "";
  // What a time limit cuts off at the end of a run is nobody's loss.
  const gaveUp = config.workload.timeoutS === null ? 0 : requests.aborted;
  const streaming =
    engine.frontEndBusyFraction > FRONT_END_LIMIT
      ? " The front end, not the GPU, limits it: one process streams all tokens."
      : "";
  const lost = requests.rejected + gaveUp > 0 ? " Not every request was served: see the counts." : "";
  const seen = `${waited}.${pressed}${streaming}${lost}`;
  if (kind === "throughput") return `All requests were sent at once: ${seen}`;
  if (regime.label === "past") {
    const slower =
      kind === "trace" ? "a --time-scale above 1" : kind === "concurrent" ? "fewer streams" : "a lower --rate";
    return `The server is overloaded: ${seen} Try ${slower}, more or faster GPUs, or a smaller model.`;
  }
  if (regime.label === "near" && !regime.closedLoop) return `The server is close to its limit: ${seen}`;
  if ((queueMs.p99 ?? 0) > NOTICEABLE_WAIT_MS) return `The server keeps up except in bursts: ${seen}`;
  return `The server keeps up with this load: ${seen}`;
}
