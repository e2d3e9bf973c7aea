import { type VllmVersion, vllmVersionTraits } from "../config/vllmVersion.js";

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

const FRONT_END = { frontEndUs: 4500, frontEndUsPerPromptToken: 1, outputUs: 1500, outputUsPerToken: 33 };

/**
 * Overheads of a vLLM version. Fitted by hand on H100 servers: the front end on six inference-perf runs of vLLM with
 * asynchronous scheduling (7B to 70B, 12 to 110 requests in flight; TTFT within 5 % on five of them), the engine
 * core's 2 ms of a synchronous step on one GuideLLM run of vLLM 0.11. Other CPUs and tokenizers differ.
 */
export function serverOverheads(version: VllmVersion): ServerOverheads {
  const { isAsyncByDefault } = vllmVersionTraits(version);
  return isAsyncByDefault
    ? { scheduleUs: 800, updateUs: 500, ...FRONT_END }
    : { scheduleUs: 1200, updateUs: 800, ...FRONT_END };
}
