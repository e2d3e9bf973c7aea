/** Share of requests whose recorded length must agree with their prompt's, for a cycle to be believed. */
const MIN_AGREEMENT = 0.9;

/** Which prompt each request sent, and how long each prompt is. */
export interface PromptIdentities {
  /** Prompt of request i. */
  readonly promptIds: Int32Array;
  /** Tokens by prompt. */
  readonly promptTokens: Int32Array;
  /** Requests whose recorded length is not their prompt's, failed ones aside. */
  readonly numDisagreeing: number;
  /** Requests that overtook a neighbour: their prompts are exchanged against the plain cycle. */
  readonly numReordered: number;
}

/**
 * Finds the prompt of each request of a client that cycles through `numPrompts` prompts: index mod numPrompts.
 * A prompt's length is the most frequent recorded one. Where neighbours disagree with their prompts but agree with
 * each other's, workers sent them in exchanged order, and their prompts are exchanged too.
 * @param indices client's index by request, in arrival order
 * @param inputTokens recorded prompt lengths, parallel; 0 = unknown (a failed request)
 * @returns null when the lengths show that the prompts were not cycled
 */
export function findPromptIdentities(
  indices: readonly number[],
  inputTokens: readonly number[],
  numPrompts: number,
): PromptIdentities | null {
  const promptIds = Int32Array.from(indices, (index) => index % numPrompts);
  const promptTokens = mostFrequentTokens(promptIds, inputTokens, numPrompts);
  const agrees = (i: number): boolean => inputTokens[i] === 0 || inputTokens[i] === promptTokens[promptIds[i]!];
  let numReordered = 0;
  let numDisagreeing = 0;
  for (let i = 0; i < promptIds.length; ) {
    let end = i;
    while (end < promptIds.length && !agrees(end)) end++;
    if (end - i > 1) numReordered += exchangePrompts(promptIds, promptTokens, inputTokens, i, end);
    for (; i < end; i++) if (!agrees(i)) numDisagreeing++;
    if (i < promptIds.length && agrees(i)) i++;
  }
  if (numDisagreeing > (1 - MIN_AGREEMENT) * promptIds.length) return null;
  return { promptIds, promptTokens, numDisagreeing, numReordered };
}

/** Gives each request of a run of disagreeing ones the prompt among theirs that has its length, if all can be served. */
function exchangePrompts(
  promptIds: Int32Array,
  promptTokens: Int32Array,
  inputTokens: readonly number[],
  first: number,
  end: number,
): number {
  const free = [...promptIds.subarray(first, end)];
  const assigned: number[] = [];
  for (let i = first; i < end; i++) {
    const at = free.findIndex((prompt) => promptTokens[prompt] === inputTokens[i]);
    if (at < 0) return 0;
    assigned.push(...free.splice(at, 1));
  }
  promptIds.set(assigned, first);
  return end - first;
}

/** The most frequent non-zero length per prompt (the smaller on a tie); prompts never seen get the mean of all. */
function mostFrequentTokens(promptIds: Int32Array, inputTokens: readonly number[], numPrompts: number): Int32Array {
  const counts = Array.from({ length: numPrompts }, () => new Map<number, number>());
  let sum = 0;
  let numKnown = 0;
  for (let i = 0; i < promptIds.length; i++) {
    const tokens = inputTokens[i]!;
    if (tokens === 0) continue;
    const seen = counts[promptIds[i]!]!;
    seen.set(tokens, (seen.get(tokens) ?? 0) + 1);
    sum += tokens;
    numKnown++;
  }
  const meanTokens = numKnown === 0 ? 0 : Math.round(sum / numKnown);
  return Int32Array.from(counts, (seen) => {
    let best = meanTokens;
    let bestCount = 0;
    for (const [tokens, times] of seen) {
      if (times > bestCount || (times === bestCount && tokens < best)) {
        best = tokens;
        bestCount = times;
      }
    }
    return best;
  });
}
