/**
 * What the server's CPUs add around the GPU, integer µs. The engine core's part (`schedule`, `update`) hides behind
 * the GPU when scheduling is asynchronous and is in the open when it is not; the front end's part only delays a
 * request's way in and its tokens' way out.
 */
export interface ServerOverheads {
  /** From the start of a scheduling pass until the GPU has its inputs. */
  readonly scheduleUs: number;
  /** From the end of the GPU's work until outputs are on their way. */
  readonly updateUs: number;
  /** HTTP, validation and hand-over to the engine core, per request. */
  readonly frontEndUs: number;
  /** Tokenising and copying the prompt, per prompt token. */
  readonly frontEndUsPerPromptToken: number;
  /** From the engine core's output message to the first client. */
  readonly outputUs: number;
  /** Detokenising and streaming, per token of the message: they are handled one after the other, in batch order. */
  readonly outputUsPerToken: number;
}

/**
 * Overheads of a server. Fitted by hand on H100 servers of vLLM 0.11 to 0.15: the front end on six inference-perf runs
 * (7B to 70B, 12 to 110 requests in flight), the engine core's 2 ms of a synchronous step on one GuideLLM run. With
 * asynchronous scheduling the engine core's part shows only where steps are shorter than it, which no run had: a guess.
 * Other CPUs and tokenizers differ. `outputUsPerToken` also caps a server at 30,000 output tokens/s.
 */
export function serverOverheads(isAsync: boolean): ServerOverheads {
  const frontEnd = { frontEndUs: 4500, frontEndUsPerPromptToken: 1, outputUs: 1500, outputUsPerToken: 33 };
  return isAsync ? { scheduleUs: 800, updateUs: 500, ...frontEnd } : { scheduleUs: 1200, updateUs: 800, ...frontEnd };
}
