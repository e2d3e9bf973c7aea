import { contentId } from "./contentIds.js";
import { type ConversationSource, layOutRequest, layOutSession, type Turn, type TurnLengths } from "./conversation.js";
import { GuidellmPrefixes } from "./guidellmPrefixes.js";
import { clampBounds, type LengthSampler } from "./lengthSampler.js";
import { PythonRandom } from "./pythonRandom.js";
import { roundHalfEven } from "./sampling.js";
import type { SyntheticData } from "./syntheticData.js";

/** GuideLLM's streams are numbered from the benchmark's seed. */
const OUTPUT_SEED_OFFSET = 1;
const PREFIX_SEED_OFFSET = 3;

/**
 * The length sampler GuideLLM uses, draw for draw.
 * @param bounds must leave room: `clampBounds` of them with min ≤ max
 */
export function guidellmLengths(
  mean: number,
  stdev: number | null,
  bounds: readonly [min: number | null, max: number | null],
  seed: number,
): LengthSampler {
  const random = new PythonRandom(seed);
  const [min, max] = clampBounds(mean, stdev ?? 0, ...bounds);
  if (min === max) return () => min;
  if (stdev === null || stdev === 0) return () => random.randint(min, max);
  return () => roundHalfEven(Math.max(min, Math.min(max, random.gauss(mean, stdev))));
}

/**
 * GuideLLM's synthetic dataset: the prompts and outputs that `guidellm benchmark --random-seed <seed>` asks for.
 * All turns of a conversation have the lengths of one draw, as there.
 */
export class SyntheticSource implements ConversationSource {
  readonly hasSessions: boolean;
  readonly #data: SyntheticData;
  readonly #promptTokens: LengthSampler;
  readonly #outputTokens: LengthSampler;
  readonly #prefixes: GuidellmPrefixes;
  #numConversations = 0;

  /** @param benchmarkIndex place in a sweep, from 0: GuideLLM shifts its seeds by it */
  constructor(data: SyntheticData, seed: number, benchmarkIndex: number) {
    const first = seed + benchmarkIndex;
    this.hasSessions = data.turns > 1;
    this.#data = data;
    const promptBounds = [data.promptTokensMin, data.promptTokensMax] as const;
    const outputBounds = [data.outputTokensMin, data.outputTokensMax] as const;
    this.#promptTokens = guidellmLengths(data.promptTokens, data.promptTokensStdev, promptBounds, first);
    const outputSeed = first + OUTPUT_SEED_OFFSET;
    this.#outputTokens = guidellmLengths(data.outputTokens, data.outputTokensStdev, outputBounds, outputSeed);
    this.#prefixes = new GuidellmPrefixes(data, first + PREFIX_SEED_OFFSET);
  }

  next(): Turn {
    const data = this.#data;
    const numDrawnTokens = this.#promptTokens();
    const numOutputTokens = this.#outputTokens();
    const prefix = this.#prefixes.next();
    const numPromptTokens = Math.max(1, numDrawnTokens + data.promptOffsetTokens);
    const index = this.#numConversations++;
    const turn = (content: number): TurnLengths => ({
      promptContentId: contentId("prompt", content),
      numPromptTokens,
      outputContentId: contentId("output", content),
      numOutputTokens,
      thinkUs: 0,
    });
    if (data.turns === 1) return layOutRequest(`req-${index}`, prefix, turn(index));
    const turns = Array.from({ length: data.turns }, (_, k) => turn(index * data.turns + k));
    return layOutSession(`session-${index}`, prefix, turns);
  }
}
