import { attendedPairs } from "../../model/attentionSpan.js";
import type { OperatorDims } from "../../model/operator.js";
import { type HeadSeries, neighbourHeads } from "./headSeries.js";
import type { AttentionHeads, DecodeAttentionRow, PrefillAttentionRow } from "./kernelTable.js";
import { physicalFloor } from "./physicalFloor.js";
import { decodeRowOperator, prefillRowOperator } from "./rowOperator.js";
import { type TableGpu, TableIndex } from "./tableIndex.js";
import type { TableReading } from "./tableReading.js";

type Dims<Category extends OperatorDims["category"]> = Extract<OperatorDims, { category: Category }>;

const REQUESTS = { min: 1, max: 2 ** 13 };
/** Prompts of one step; more are read as so many, longer ones. */
const PROMPTS = { min: 1, max: 2 ** 10 };
const TOKENS = { min: 1, max: 2 ** 20 };

/**
 * Decode attention over (mean context, requests), one grid per head shape. Rises with the mean context at a fixed
 * number of requests, and with the number of requests at a fixed mean; not with the number of requests at a fixed sum
 * of contexts, because kernels do stream few long contexts slower than many short ones.
 */
export class DecodeAttentionTable {
  readonly index: TableIndex<DecodeAttentionRow>;
  readonly #series: HeadSeries;

  constructor(rows: readonly DecodeAttentionRow[], gpu: TableGpu) {
    this.#series = neighbourHeads(rows);
    this.index = new TableIndex<DecodeAttentionRow>(rows, gpu, {
      keyOf: headsKey,
      operatorOf: decodeRowOperator,
      at: ({ kvLen, batchSize }) => [kvLen, batchSize],
      axes: [TOKENS, REQUESTS],
      // FLOPs and bytes are both proportional to the batch.
      floorUs: (row, [kvLen, batchSize]) =>
        batchSize! * physicalFloor(decodeRowOperator({ ...row, kvLen: kvLen!, batchSize: 1 }), gpu.roofs).us,
      operatorAt: (row, [kvLen, batchSize]) =>
        decodeRowOperator({ ...row, kvLen: Math.ceil(kvLen!), batchSize: Math.ceil(batchSize!) }),
    });
  }

  read(dims: Dims<"attention-decode">): TableReading | null {
    return interpolateHeads(this.#series, dims, (heads) => this.#slower(heads, dims)?.reading ?? null);
  }

  /** Of the readings that set the price; null where `read` is null. */
  lnDistance(dims: Dims<"attention-decode">): number | null {
    return largestLnDistance(this.#series, dims, (heads) => {
      const slower = this.#slower(heads, dims);
      return slower === null ? null : this.index.lnDistance(headsKey(heads), slower.at);
    });
  }

  /** No launch ends before its longest row would alone: the slower of all rows and that one, and where it was read. */
  #slower(
    heads: AttentionHeads,
    dims: Dims<"attention-decode">,
  ): { readonly reading: TableReading; readonly at: readonly number[] } | null {
    const rows = [Math.max(1, dims.sumContextTokens / dims.numRequests), dims.numRequests];
    const longest = [Math.max(1, dims.maxContextTokens), 1];
    const all = this.index.read(headsKey(heads), rows);
    const alone = this.index.read(headsKey(heads), longest);
    if (all === null || alone === null) return null;
    return alone.us > all.us ? { reading: alone, at: longest } : { reading: all, at: rows };
  }
}

/**
 * Prefill attention over (prompt length, prompts), one grid per head shape, from rows without cached context.
 * A chunk behind cached context is read at the prompt length with as many query-key pairs, chunks of several lengths as
 * equal ones (`equalPrompts`), and never faster than
 * its own roof at the best efficiency that a row has, or than the model says where that is less.
 */
export class PrefillAttentionTable {
  readonly index: TableIndex<PrefillAttentionRow>;
  readonly #series: HeadSeries;

  constructor(rows: readonly PrefillAttentionRow[], gpu: TableGpu) {
    const uncached = rows.filter(({ contextLen }) => contextLen === 0);
    this.#series = neighbourHeads(uncached);
    this.index = new TableIndex<PrefillAttentionRow>(uncached, gpu, {
      keyOf: headsKey,
      operatorOf: prefillRowOperator,
      at: ({ seqLen, batchSize }) => [seqLen, batchSize],
      axes: [TOKENS, PROMPTS],
      floorUs: (row, [seqLen, batchSize]) => {
        const one = prefillRowOperator({ ...row, seqLen: seqLen!, contextLen: 0, batchSize: 1 });
        return batchSize! * physicalFloor(one, gpu.roofs).us;
      },
      operatorAt: (row, [seqLen, batchSize]) =>
        prefillRowOperator({ ...row, seqLen: Math.ceil(seqLen!), contextLen: 0, batchSize: Math.ceil(batchSize!) }),
    });
  }

  /** @param floorUs physical floor of the whole operator @param modelUs its price without the table */
  read(dims: Dims<"attention-prefill">, floorUs: number, modelUs: number): TableReading | null {
    const at = equalPrompts(dims);
    return interpolateHeads(this.#series, dims, (heads) => {
      const key = headsKey(heads);
      const indexed = this.index.grid(key);
      if (indexed === null) return null;
      const { us, isExtrapolated } = indexed.grid.read(at);
      const { launchUs, bestEfficiency } = indexed.grid;
      const leastUs = Math.min(floorUs / bestEfficiency, modelUs);
      return { us: Math.max(us, leastUs), launchUs, isExtrapolated, source: indexed.source };
    });
  }

  /** Null where `read` is null. */
  lnDistance(dims: Dims<"attention-prefill">): number | null {
    const at = equalPrompts(dims);
    return largestLnDistance(this.#series, dims, (heads) => this.index.lnDistance(headsKey(heads), at));
  }
}

/**
 * Length and number of the equal prompts that a step's chunks are read as. They have the chunks' query-key pairs, and are as
 * many as the chunks weigh: (Σ pairs)² / Σ pairs², so that a chunk of one token beside a long one counts for nothing.
 */
function equalPrompts({ chunks, slidingWindow }: Dims<"attention-prefill">): readonly number[] {
  let numPairs = 0;
  let sumOfSquares = 0;
  for (const chunk of chunks) {
    const pairs = attendedPairs(chunk, slidingWindow);
    numPairs += pairs;
    sumOfSquares += pairs * pairs;
  }
  const batchSize = Math.min(numPairs ** 2 / sumOfSquares, PROMPTS.max);
  return [lengthWithPairs(numPairs / batchSize), batchSize];
}

/** Prompt length s with s(s+1)/2 query-key pairs. */
function lengthWithPairs(numPairs: number): number {
  return (Math.sqrt(8 * numPairs + 1) - 1) / 2;
}

function headsKey({ numHeads, numKvHeads, headDim, kvDtype }: AttentionHeads): string {
  return `${numHeads} ${numKvHeads} ${headDim} ${kvDtype === "fp16" ? "bf16" : kvDtype}`;
}

/** Reads the head shape itself, or geometrically between its neighbours with fewer and more query heads. */
function interpolateHeads(
  series: HeadSeries,
  heads: AttentionHeads,
  read: (heads: AttentionHeads) => TableReading | null,
): TableReading | null {
  const neighbours = series(heads);
  if (neighbours === null) return null;
  const [lower, upper] = neighbours.map(read);
  if (!lower || !upper) return null;
  const [below, above] = neighbours;
  if (below.numHeads === above.numHeads) return lower;
  const share = Math.log(heads.numHeads / below.numHeads) / Math.log(above.numHeads / below.numHeads);
  return {
    us: lower.us ** (1 - share) * upper.us ** share,
    launchUs: Math.max(lower.launchUs, upper.launchUs),
    isExtrapolated: lower.isExtrapolated || upper.isExtrapolated,
    source: lower.source,
  };
}

/** The larger distance of the head shapes a price is read from; null where one of them has no rows. */
function largestLnDistance(
  series: HeadSeries,
  heads: AttentionHeads,
  lnDistance: (heads: AttentionHeads) => number | null,
): number | null {
  const [lower, upper] = series(heads)?.map(lnDistance) ?? [];
  if (lower === undefined || upper === undefined || lower === null || upper === null) return null;
  return Math.max(lower, upper);
}
