import type { RequestSpec } from "../request/requestSpec.js";

/** Requests that are too many to be held at once: read when they are needed, as often as somebody begins. */
export interface SpecStream {
  /** How many there are. */
  readonly length: number;
  /** From the first one on, in order of arrival; who makes a stream has seen to it that their ids differ. */
  open(): Iterator<RequestSpec>;
}
