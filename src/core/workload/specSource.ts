import { ConfigError } from "../errors/simulationError.js";
import type { RequestSpec } from "../request/requestSpec.js";
import type { ConversationSource, Turn } from "./conversation.js";
import type { SpecStream } from "./specStream.js";

/** Hands given requests out in order, one turn each; their own arrival times are not used. */
export class SpecSource implements ConversationSource {
  readonly hasSessions = false;
  readonly #specs: Iterator<RequestSpec>;

  /** @throws ConfigError when two requests share an id, or an arrival is negative or not an integer */
  constructor(specs: readonly RequestSpec[] | SpecStream) {
    this.#specs = openSpecs(specs);
  }

  next(): Turn | null {
    const { value: spec, done } = this.#specs.next();
    return done === true ? null : { draft: spec, thinkUs: 0, following: null };
  }
}

/**
 * The requests of a list or a stream, one by one.
 * @throws ConfigError when two requests of a list share an id, or an arrival is negative or not an integer
 */
export function openSpecs(specs: readonly RequestSpec[] | SpecStream): Iterator<RequestSpec> {
  if ("open" in specs) return specs.open();
  checkSpecs(specs);
  return specs.values();
}

function checkSpecs(specs: readonly RequestSpec[]): void {
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
