import type { AttentionHeads } from "./kernelTable.js";

/**
 * Finds the two measured head shapes a wanted one lies between: itself twice where it was measured; otherwise
 * shapes with the same KV heads and head size, or, where every query head has its own KV head, such shapes.
 * Null when it lies outside: heads change the kernel too much to extrapolate.
 */
export type HeadSeries = (heads: AttentionHeads) => readonly [AttentionHeads, AttentionHeads] | null;

/** Indexes the head shapes that a table has rows for. */
export function neighbourHeads(rows: readonly AttentionHeads[]): HeadSeries {
  const series = new Map<string, Map<number, AttentionHeads>>();
  for (const { numHeads, numKvHeads, headDim, kvDtype } of rows) {
    const heads = { numHeads, numKvHeads, headDim, kvDtype };
    for (const key of seriesKeys(heads)) {
      let members = series.get(key);
      if (members === undefined) {
        members = new Map();
        series.set(key, members);
      }
      if (!members.has(numHeads)) members.set(numHeads, heads);
    }
  }
  const sorted = new Map(
    [...series].map(([key, members]) => [key, [...members.values()].sort((a, b) => a.numHeads - b.numHeads)]),
  );
  return (heads) => {
    for (const key of seriesKeys(heads)) {
      const found = bracket(sorted.get(key) ?? [], heads.numHeads);
      if (found !== null) return found;
    }
    return null;
  };
}

function seriesKeys({ numHeads, numKvHeads, headDim, kvDtype }: AttentionHeads): string[] {
  const kernel = `${headDim} ${kvDtype === "fp16" ? "bf16" : kvDtype}`;
  const sameKvHeads = `${kernel} ${numKvHeads}`;
  return numHeads === numKvHeads ? [`${kernel} mha`, sameKvHeads] : [sameKvHeads];
}

function bracket(
  members: readonly AttentionHeads[],
  numHeads: number,
): readonly [AttentionHeads, AttentionHeads] | null {
  const below = members.findLast((member) => member.numHeads <= numHeads);
  const above = members.find((member) => member.numHeads >= numHeads);
  return below === undefined || above === undefined ? null : [below, above];
}
