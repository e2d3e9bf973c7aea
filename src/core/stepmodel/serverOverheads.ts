import { type VllmVersion, vllmVersionTraits } from "../config/vllmVersion.js";

/**
 * What the server's CPUs add around the GPU, µs. The engine core's part (`schedule`, `update`) hides behind the
 * GPU when scheduling is asynchronous and is in the open when it is not; the front end's part only delays a request.
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
  /** From the engine core's output to the client: detokenising, one streamed message. */
  readonly outputUs: number;
}

/** Overheads of a vLLM version. */
export function serverOverheads(version: VllmVersion): ServerOverheads {
  const { isAsyncByDefault } = vllmVersionTraits(version);
  return {
    scheduleUs: isAsyncByDefault ? 800 : 1000,
    updateUs: 500,
    frontEndUs: 5000,
    frontEndUsPerPromptToken: 1,
    outputUs: 1500,
  };
}
