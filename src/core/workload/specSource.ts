import { ConfigError } from "../errors/simulationError.js";
import type { RequestSpec } from "../request/requestSpec.js";
import type { ConversationSource, Turn } from "./conversation.js";

/** Hands given requests out in order, one turn each; their own arrival times are not used. */
export class SpecSource implements ConversationSource {
  readonly hasSessions = false;
  readonly #specs: readonly RequestSpec[];
  #next = 0;

  /** @throws ConfigError when two requests share an id, or an arrival is negative or not an integer */
  constructor(specs: readonly RequestSpec[]) {
    checkSpecs(specs);
    this.#specs = specs;
  }

  next(): Turn | null {
    const spec = this.#specs[this.#next];
    if (spec === undefined) return null;
    this.#next++;
    return { draft: spec, thinkUs: 0, following: null };
  }
}

/** @throws ConfigError when two requests share an id, or an arrival is negative or not an integer */
export function checkSpecs(specs: readonly RequestSpec[]): void {
  const ids = new Set<string>();
  for (const spec of specs) {
    if (!Number.isSafeInteger(spec.arrivalUs) || spec.arrivalUs < 0) {
      const path = `requests.${spec.id}.arrivalUs`;
      throw new ConfigError([{ path, received: String(spec.arrivalUs), allowed: "must be integer µs ≥ 0" }]);
    }
    if (ids.has(spec.id)) {
      throw new ConfigError([
        { path: "requests", received: `two requests with id "${spec.id}"`, allowed: "ids must differ" },
      ]);
    }
    ids.add(spec.id);
  }
}
