import type { RecordColumns } from "../metrics/recordColumns.js";
import type { Server } from "./createServer.js";
import { type BatchRow, explainStep } from "./explainStep.js";

/** Chunks of a prefill that are priced; decodes may leave a chunk one token, and a prompt a hundred thousand chunks. */
const MAX_PRICED_CHUNKS = 32;

/** Mean request of a run, and how many are served at a time. */
interface MeanLoad {
  readonly newTokens: number;
  readonly cachedTokens: number;
  readonly outputTokens: number;
  /** Mean number of requests between first schedule and last token. */
  readonly numRunning: number;
}

/**
 * By how many percent the mean step of a run grows when the load grows by 1 %, 0–1: the share of the step that
 * requests cost each other. Its fixed part (weights, gaps) does not count; where experts are touched anyway, neither
 * do they. A step of b running requests takes D(b) for their decodes and b/N · X for prefills, N output tokens and X
 * extra µs of a request's prefill. 0 when nothing was served, or where more requests make no longer steps (the rows of a
 * CUDA graph are padded); 1 where chunks stand on top of the steps they ride in.
 */
export function loadElasticity(server: Server, records: RecordColumns, simulatedUs: number): number {
  const load = meanLoad(records, simulatedUs);
  if (load === null) return 0;
  const { numRunning, outputTokens } = load;
  const many = Math.min(server.engine.maxNumSeqs, Math.max(1, Math.ceil(numRunning)));
  const few = Math.max(1, Math.round(many / 2));
  const manyUs = stepUs(server, [decodes(server, load, many)]);
  const fewUs = stepUs(server, [decodes(server, load, few)]);
  const usPerRequest = many > few ? (manyUs - fewUs) / (many - few) : 0;
  const prefillShareUs = (numRunning / outputTokens) * prefillExtraUs(server, load, many, manyUs);
  const elasticity = (numRunning * usPerRequest + prefillShareUs) / (manyUs + prefillShareUs);
  return Math.min(1, Math.max(0, elasticity));
}

/** What one request's prefill adds to the steps it rides in, in chunks of what the decodes leave of the budget. */
function prefillExtraUs(server: Server, load: MeanLoad, numDecodes: number, decodeUs: number): number {
  const { maxNumBatchedTokens, maxNumSeqs, maxModelLen } = server.engine;
  const numBeside = Math.min(numDecodes, maxNumSeqs - 1, maxNumBatchedTokens - 1);
  const beside = numBeside > 0 ? [decodes(server, load, numBeside)] : [];
  const chunkTokens = maxNumBatchedTokens - numBeside;
  const numChunks = Math.ceil(load.newTokens / chunkTokens);
  const numPriced = Math.min(numChunks, MAX_PRICED_CHUNKS);
  let extraUs = 0;
  for (let priced = 0; priced < numPriced; priced++) {
    // Of many chunks, the middles of as many equal stretches stand for all.
    const chunk = numPriced === numChunks ? priced : Math.floor(((priced + 0.5) * numChunks) / numPriced);
    const done = chunk * chunkTokens;
    const count = Math.min(chunkTokens, load.newTokens - done);
    const contextTokens = Math.min(load.cachedTokens + done, maxModelLen - count);
    extraUs += stepUs(server, [...beside, { kind: "prefill", count, contextTokens }]) - decodeUs;
  }
  return Math.max(0, (extraUs * numChunks) / numPriced);
}

function decodes({ engine }: Server, load: MeanLoad, count: number): BatchRow {
  const contextTokens = Math.round(load.newTokens + load.cachedTokens + load.outputTokens / 2);
  return { kind: "decode", count, contextTokens: Math.min(contextTokens, engine.maxModelLen - 1) };
}

function stepUs(server: Server, rows: readonly BatchRow[]): number {
  return explainStep(server, rows).stepUs;
}

/** Means over completed requests; the number running counts every request that was served. */
function meanLoad(records: RecordColumns, simulatedUs: number): MeanLoad | null {
  const { counts, numPromptTokens, numCachedTokens, numOutputTokens } = records;
  if (counts.completed === 0 || simulatedUs <= 0) return null;
  let servedUs = 0;
  for (let i = 0; i < records.length; i++) {
    const { firstScheduledUs, lastTokenUs } = records.at(i);
    const us = lastTokenUs - firstScheduledUs;
    if (us > 0) servedUs += us;
  }
  return {
    newTokens: Math.max(1, Math.round((numPromptTokens - numCachedTokens) / counts.completed)),
    cachedTokens: Math.round(numCachedTokens / counts.completed),
    outputTokens: numOutputTokens / counts.completed,
    numRunning: servedUs / simulatedUs,
  };
}
