import { createStream, type RandomStream } from "../des/streams.js";
import type { TokenSegment } from "../request/requestSpec.js";
import { US_PER_S } from "../units/units.js";
import { contentId } from "./contentIds.js";
import {
  type ConversationSource,
  layOutRequest,
  layOutSession,
  NO_PREFIX,
  type Turn,
  type TurnLengths,
} from "./conversation.js";
import { clampTurns, type LengthsData, type PairedData, type PrefixConfig, type ThinkTime } from "./dataConfig.js";
import { createLengthSampler, type LengthSampler } from "./lengthSampler.js";
import { lognormalSampler, sampleExponential, sampleInteger, WeightedIndex, zipfWeights } from "./sampling.js";

/** New prompt tokens and output tokens of one turn. */
type TurnDraw = Pick<TurnLengths, "numPromptTokens" | "numOutputTokens">;

/** Requests with lengths drawn from our own seeded streams, one stream per purpose. */
export class GeneratedSource implements ConversationSource {
  readonly #drawTurn: (turn: number) => TurnDraw;
  readonly #numTurns: LengthSampler;
  readonly #thinkUs: () => number;
  readonly #nextPrefix: () => readonly TokenSegment[];
  readonly hasSessions: boolean;
  #numConversations = 0;
  #numContents = 0;

  constructor(data: LengthsData | PairedData, seed: number | string) {
    const session = data.kind === "lengths" ? data.session : null;
    this.hasSessions = session !== null;
    this.#drawTurn = data.kind === "lengths" ? lengthsDraw(data, seed) : pairedDraw(data, createStream(seed, "pairs"));
    this.#numTurns = session === null ? () => 1 : createLengthSampler(session.turns, createStream(seed, "turns"));
    this.#thinkUs = session === null ? () => 0 : thinkSampler(session.think, createStream(seed, "think"));
    this.#nextPrefix =
      data.prefix === null ? () => NO_PREFIX : prefixSampler(data.prefix, createStream(seed, "prefix"));
  }

  next(): Turn {
    const index = this.#numConversations++;
    const prefix = this.#nextPrefix();
    if (!this.hasSessions) return layOutRequest(`req-${index}`, prefix, this.#nextTurn(0));
    const numTurns = clampTurns(this.#numTurns());
    const turns: TurnLengths[] = [];
    for (let k = 0; k < numTurns; k++) turns.push(this.#nextTurn(k));
    return layOutSession(`session-${index}`, prefix, turns);
  }

  #nextTurn(k: number): TurnLengths {
    const content = this.#numContents++;
    const { numPromptTokens, numOutputTokens } = this.#drawTurn(k);
    return {
      promptContentId: contentId("prompt", content),
      numPromptTokens,
      outputContentId: contentId("output", content),
      numOutputTokens,
      thinkUs: k === 0 ? 0 : this.#thinkUs(),
    };
  }
}

function lengthsDraw(data: LengthsData, seed: number | string): (turn: number) => TurnDraw {
  const first = createLengthSampler(data.prompt, createStream(seed, "promptTokens"));
  const followUp = data.session?.followUpPrompt ?? null;
  const later = followUp === null ? first : createLengthSampler(followUp, createStream(seed, "followUpPromptTokens"));
  const output = createLengthSampler(data.output, createStream(seed, "outputTokens"));
  return (turn) => ({ numPromptTokens: turn === 0 ? first() : later(), numOutputTokens: output() });
}

function pairedDraw(data: PairedData, stream: RandomStream): () => TurnDraw {
  const { rows } = data;
  const weights = new WeightedIndex(rows.map((row) => row.weight));
  let numDrawn = 0;
  return () => {
    const row = rows[data.order === "cyclic" ? numDrawn++ % rows.length : weights.sample(stream)]!;
    return { numPromptTokens: row.promptTokens, numOutputTokens: row.outputTokens };
  };
}

function prefixSampler(config: PrefixConfig, stream: RandomStream): () => readonly TokenSegment[] {
  const pick = popularitySampler(config, stream);
  return () => [{ contentId: contentId("prefix", pick()), numTokens: config.tokens }];
}

function popularitySampler({ count, popularity }: PrefixConfig, stream: RandomStream): () => number {
  switch (popularity.kind) {
    case "uniform":
      return () => sampleInteger(stream, 0, count - 1);
    case "cyclic": {
      let next = 0;
      return () => next++ % count;
    }
    case "zipf": {
      const ranks = new WeightedIndex(zipfWeights(count, popularity.exponent));
      return () => ranks.sample(stream);
    }
  }
}

/** Pauses in whole µs. */
function thinkSampler(think: ThinkTime, stream: RandomStream): () => number {
  const toUs = (pauseS: number) => Math.round(pauseS * US_PER_S);
  switch (think.kind) {
    case "fixed":
      return () => toUs(think.seconds);
    case "exponential":
      return () => toUs(think.meanS * sampleExponential(stream));
    case "lognormal": {
      const sample = lognormalSampler(stream, think.meanS, think.cv);
      return () => (think.meanS === 0 ? 0 : toUs(sample()));
    }
  }
}
