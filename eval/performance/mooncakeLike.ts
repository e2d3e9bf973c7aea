import { createStream } from "../../src/core/des/streams.js";
import { type RequestSpec, requestSpec, type TokenSegment } from "../../src/core/request/requestSpec.js";
import { contentId } from "../../src/core/workload/contentIds.js";
import { lognormalSampler, sampleInteger } from "../../src/core/workload/sampling.js";

/** The shape of Mooncake's conversation trace (FAST 2025): 12,031 requests in an hour, 12 k prompt tokens on average. */
const NUM_REQUESTS = 12_031;
const SPAN_US = 3_600_000_000;
const BLOCK_TOKENS = 512;
const MEAN_NEW_BLOCKS = 12;
const MEAN_OUTPUT_TOKENS = 343;
/** Conversations that go on at any time; each request belongs to one of them or begins a new one in its place. */
const NUM_OPEN = 400;
const CONTINUES_FRACTION = 0.45;

/**
 * Requests like the trace's, for where it is not at hand: prompts are lists of 512-token blocks, and a conversation's
 * next prompt repeats the blocks of the one before. The same each time.
 */
export function mooncakeLikeSpecs(): RequestSpec[] {
  const choice = createStream(1, "conversations");
  const newBlocks = lognormalSampler(createStream(1, "blocks"), MEAN_NEW_BLOCKS, 1.2);
  const output = lognormalSampler(createStream(1, "outputs"), MEAN_OUTPUT_TOKENS, 0.8);
  const open: TokenSegment[][] = Array.from({ length: NUM_OPEN }, () => []);
  let numBlocks = 0;
  return Array.from({ length: NUM_REQUESTS }, (_, i) => {
    const place = sampleInteger(choice, 0, NUM_OPEN - 1);
    const segments = choice() < CONTINUES_FRACTION ? [...open[place]!] : [];
    for (let k = Math.max(1, Math.round(newBlocks())); k > 0 && segments.length < 230; k--) {
      segments.push({ contentId: contentId("traceBlock", numBlocks++), numTokens: BLOCK_TOKENS });
    }
    open[place] = segments;
    return requestSpec({
      id: `req-${i}`,
      arrivalUs: Math.round((i * SPAN_US) / NUM_REQUESTS),
      promptSegments: segments,
      maxTokens: Math.max(1, Math.min(2000, Math.round(output()))),
      outputContentId: contentId("output", i),
    });
  });
}
