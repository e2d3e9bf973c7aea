import { describe, expect, it } from "vitest";
import type { RequestDraft, Turn } from "../../../../src/core/workload/conversation.js";
import { parseSyntheticData } from "../../../../src/core/workload/parseSyntheticData.js";
import { SyntheticSource } from "../../../../src/core/workload/syntheticSource.js";

const drafts = (text: string, seed: number, benchmarkIndex: number, n: number) => {
  const source = new SyntheticSource(parseSyntheticData(text), seed, benchmarkIndex);
  return Array.from({ length: n }, () => draftsOf(source.next()));
};

/** The requests of a conversation, in order. */
function draftsOf(first: Turn): RequestDraft[] {
  const found: RequestDraft[] = [];
  for (let turn: Turn | null = first; turn !== null; turn = turn.following) found.push(turn.draft);
  return found;
}

const RUN =
  "prefix_tokens=1024,prompt_tokens=2048,prompt_tokens_stdev=500,prompt_tokens_min=100,prompt_tokens_max=4096," +
  "output_tokens=32,output_tokens_stdev=16,output_tokens_min=1,output_tokens_max=64";

describe("SyntheticSource", () => {
  it("draws the outputs that GuideLLM asked for with seed 42", () => {
    const outputs = (b: number, n: number) => drafts(RUN, 42, b, n).map(([draft]) => draft?.maxTokens);
    expect(outputs(0, 8)).toEqual([56, 38, 43, 46, 19, 7, 14, 37]);
    expect(outputs(1, 4)).toEqual([15, 43, 38, 24]);
  });

  it("draws the outputs of one benchmark from the seed of the next one's prompts, as GuideLLM does", () => {
    const same = "prompt_tokens=100,prompt_tokens_stdev=30,output_tokens=100,output_tokens_stdev=30";
    const outputs = drafts(same, 42, 0, 20).map(([draft]) => draft?.maxTokens);
    const nextPrompts = drafts(same, 42, 1, 20).map(([draft]) => draft?.numPromptTokens);
    expect(outputs).toEqual(nextPrompts);
  });

  it("draws uniformly between the bounds where no stdev is given", () => {
    const lengths = drafts("prompt_tokens=50,prompt_tokens_min=10,prompt_tokens_max=13,output_tokens=1", 1, 0, 400);
    const counts = new Map<number, number>();
    for (const [draft] of lengths) counts.set(draft!.numPromptTokens, (counts.get(draft!.numPromptTokens) ?? 0) + 1);
    expect([...counts.keys()].sort()).toEqual([10, 11, 12, 13]);
    for (const count of counts.values()) expect(count).toBeGreaterThan(60);
  });

  it("clamps to five standard deviations and to 1, so mass piles up there", () => {
    const lengths = drafts("prompt_tokens=10,prompt_tokens_stdev=20,output_tokens=1", 1, 0, 500);
    const shortest = lengths.filter(([draft]) => draft?.numPromptTokens === 1).length;
    expect(shortest).toBeGreaterThan(100);
    expect(Math.max(...lengths.map(([draft]) => draft!.numPromptTokens))).toBeLessThanOrEqual(110);
  });

  it("shares prefixes by their buckets' weights", () => {
    const buckets =
      '[{"bucket_weight":3,"prefix_count":1,"prefix_tokens":8},{"bucket_weight":1,"prefix_count":2,"prefix_tokens":4}]';
    const all = drafts(`{"prompt_tokens":5,"output_tokens":1,"prefix_buckets":${buckets}}`, 3, 0, 4000);
    const ids = all.map(([draft]) => draft!.promptSegments[0]!);
    const share = ids.filter((segment) => segment.numTokens === 8).length / ids.length;
    expect(share).toBeCloseTo(0.75, 1);
    expect(new Set(ids.map((segment) => segment.contentId)).size).toBe(3);
  });

  it("repeats the whole conversation in every later turn, with one draw of lengths", () => {
    const [turns] = drafts("prompt_tokens=10,output_tokens=4,prefix_tokens=7,turns=3", 1, 0, 1);
    expect(turns?.map((draft) => draft.numPromptTokens)).toEqual([17, 31, 45]);
    expect(turns?.[2]?.promptSegments.slice(0, 3)).toEqual([
      ...turns![0]!.promptSegments,
      { contentId: turns![0]!.outputContentId, numTokens: 4 },
    ]);
  });
});
