import { type RequestSpec, requestSpec, type TokenSegment } from "../../core/request/requestSpec.js";
import { US_PER_S } from "../../core/units/units.js";
import { contentId } from "../../core/workload/contentIds.js";
import type { ClientConfig } from "./clientConfig.js";
import { findPromptIdentities } from "./promptIdentity.js";
import type { RecordedRequest } from "./replayFile.js";

/** inference-perf's HTTP library gives up after this long when the config sets no request_timeout (aiohttp's default). */
const DEFAULT_TIMEOUT_S = 300;

/** The requests as the simulator sends them, parallel to what was recorded. */
export interface InferencePerfSpecs {
  readonly specs: RequestSpec[];
  readonly notes: string[];
}

/**
 * Rebuilds what the client sent: which prompts are equal, their true lengths, and the true output length (the
 * configured one: EOS was ignored, and the recorded count is a re-tokenisation of the text).
 */
export function inferencePerfSpecs(requests: readonly RecordedRequest[], config: ClientConfig): InferencePerfSpecs {
  const notes: string[] = [];
  const prompts = promptsOf(requests, config, notes);
  if (config.outputTokens === null) {
    notes.push("the config fixes no output length: lengths are the client's re-tokenised counts");
  }
  const meanOutput = Math.max(1, Math.round(meanOf(requests.map((request) => request.outputTokens))));
  const timeoutUs = Math.round((config.requestTimeoutS ?? DEFAULT_TIMEOUT_S) * US_PER_S);
  const groups = new Map<string, number>();
  const specs = requests.map((request, i) => {
    const prompt = prompts[i] as TokenSegment;
    const recordedOutput = request.outputTokens > 0 ? request.outputTokens : meanOutput;
    return requestSpec({
      id: String(request.index),
      arrivalUs: request.arrivalUs,
      promptSegments: withSystemPrompt(prompt, request.prefixGroup, config.systemPromptTokens, groups),
      maxTokens: config.outputTokens ?? recordedOutput,
      outputContentId: contentId("output", i),
      timeoutUs,
    });
  });
  return { specs, notes };
}

/** The prompt of each request: equal contents where the client cycled or repeated them. */
function promptsOf(requests: readonly RecordedRequest[], config: ClientConfig, notes: string[]): TokenSegment[] {
  const recorded = requests.map((request) => (request.hasError ? 0 : request.inputTokens));
  const byText = promptsByText(requests);
  if (byText !== null) return byText;
  if (config.isMultiTurn) {
    notes.push("multi-turn chat: what a turn repeats of earlier ones is not recorded, so prompts count as unrelated");
  } else if (config.numPrompts !== null) {
    const indices = requests.map((request) => request.index);
    const found = findPromptIdentities(indices, recorded, config.numPrompts);
    if (found !== null) {
      if (found.numDisagreeing > 0) {
        notes.push(`${found.numDisagreeing} recorded prompt lengths differ from their prompt's most frequent one`);
      }
      return requests.map((_, i) => {
        const promptId = found.promptIds[i] as number;
        return {
          contentId: contentId("named", promptId),
          numTokens: Math.max(1, found.promptTokens[promptId] as number),
        };
      });
    }
    notes.push(`prompt lengths do not repeat every ${config.numPrompts} requests: prompts count as unrelated`);
  }
  return uniquePrompts(recorded);
}

function uniquePrompts(recorded: readonly number[]): TokenSegment[] {
  const meanTokens = Math.max(1, Math.round(meanOf(recorded)));
  return recorded.map((tokens, i) => ({
    contentId: contentId("prompt", i),
    numTokens: tokens > 0 ? tokens : meanTokens,
  }));
}

/** Prompts told apart by their text; null unless every request has it. */
function promptsByText(requests: readonly RecordedRequest[]): TokenSegment[] | null {
  const byText = new Map<string, { contentId: number; numTokens: number }>();
  for (const { promptText, inputTokens } of requests) {
    if (promptText === null) return null;
    const known = byText.get(promptText) ?? { contentId: contentId("named", byText.size), numTokens: 0 };
    if (known.numTokens === 0) known.numTokens = inputTokens;
    byText.set(promptText, known);
  }
  const meanTokens = Math.max(1, Math.round(meanOf([...byText.values()].map((prompt) => prompt.numTokens))));
  for (const prompt of byText.values()) if (prompt.numTokens === 0) prompt.numTokens = meanTokens;
  return requests.map((request) => byText.get(request.promptText as string) as TokenSegment);
}

/** Puts a named group's shared system prompt before the prompt; without a name the whole prompt is one content. */
function withSystemPrompt(
  prompt: TokenSegment,
  group: string,
  systemPromptTokens: number,
  groups: Map<string, number>,
): TokenSegment[] {
  if (group === "" || systemPromptTokens === 0 || prompt.numTokens <= systemPromptTokens) return [prompt];
  const groupId = groups.get(group) ?? contentId("prefix", groups.size);
  groups.set(group, groupId);
  return [
    { contentId: groupId, numTokens: systemPromptTokens },
    { contentId: prompt.contentId, numTokens: prompt.numTokens - systemPromptTokens },
  ];
}

/** Mean of the values above 0; 0 without any. */
function meanOf(values: readonly number[]): number {
  const known = values.filter((value) => value > 0);
  return known.length === 0 ? 0 : known.reduce((sum, value) => sum + value, 0) / known.length;
}
