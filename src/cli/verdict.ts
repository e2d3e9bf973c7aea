import type { RunSummary } from "../core/engine/simulate.js";
import { printNumber } from "./textTable.js";

/** Tokens per second that a fast reader follows: 300 words a minute at 0.75 words per token. */
const READING_TOKENS_PER_S = 6.7;
/** A wait before the first schedule that users notice, ms. */
const NOTICEABLE_WAIT_MS = 1000;
const MS_PER_S = 1000;

/** What the numbers mean, in two sentences: what a user sees, and whether the server keeps up with the load. */
export function verdict(summary: RunSummary): string {
  const { ttftMs, tpotMs } = summary;
  if (ttftMs.p50 === null || ttftMs.p99 === null) return "No request was completed: nothing to judge.";
  const seen = `Half of the users see a first token within ${seconds(ttftMs.p50)}, 99 % within ${seconds(ttftMs.p99)}`;
  return `${seen}${speed(tpotMs.p50)}.\n${load(summary)}`;
}

function speed(tpotMs: number | null): string {
  if (tpotMs === null || tpotMs <= 0) return "";
  const tokensPerS = MS_PER_S / tpotMs;
  const times = tokensPerS / READING_TOKENS_PER_S;
  const comparison =
    times >= 1.5 ? `, ${printNumber(times, 0)} times as fast as people read` : ", about as fast as people read";
  return `; then text comes at ${printNumber(tokensPerS, 0)} tokens/s${times >= 0.8 ? comparison : ", slower than people read"}`;
}

function load({ config, queueMs, engine, requests }: RunSummary): string {
  const { kind } = config.workload.profile;
  const waited = `requests wait ${seconds(queueMs.p50 ?? 0)} in the median before they start (99 %: ${seconds(queueMs.p99 ?? 0)})`;
  const pressed = engine.preemptions > 0 ? ` The KV cache was full: ${engine.preemptions} preemptions.` : "";
  const lost = requests.completed < requests.submitted ? " Not every request was served: see the counts." : "";
  if (kind === "throughput") return `All requests were sent at once: ${waited}.${pressed}${lost}`;
  if ((queueMs.p50 ?? 0) > NOTICEABLE_WAIT_MS) {
    return `The server is overloaded: ${waited}. Try a lower rate, more or faster GPUs, or a smaller model.${pressed}${lost}`;
  }
  if ((queueMs.p99 ?? 0) > NOTICEABLE_WAIT_MS)
    return `The server keeps up except in bursts: ${waited}.${pressed}${lost}`;
  return `The server keeps up with this load: ${waited}.${pressed}${lost}`;
}

function seconds(ms: number): string {
  return ms >= MS_PER_S ? `${printNumber(ms / MS_PER_S, 1)} s` : `${printNumber(ms, 0)} ms`;
}
