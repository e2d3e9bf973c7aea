/** What a run of tokens is; contents of different purposes never share an id. */
export const CONTENT_PURPOSES = ["prompt", "output", "prefix", "traceBlock", "traceTail", "named"] as const;
export type ContentPurpose = (typeof CONTENT_PURPOSES)[number];

/** Ids of one purpose are so far apart: room for more purposes without moving the ones there are. */
export const CONTENT_ID_STRIDE = 8;

/** Largest index `contentId` takes: ids stay safe integers. */
export const MAX_CONTENT_INDEX = Math.floor(Number.MAX_SAFE_INTEGER / CONTENT_ID_STRIDE) - 1;

/**
 * Identity of the index-th content of a purpose, for `TokenSegment.contentId`.
 * Stateless, so readers and generators that never meet agree, and small for small indices.
 * @param index integer in [0, MAX_CONTENT_INDEX]
 */
export function contentId(purpose: ContentPurpose, index: number): number {
  return index * CONTENT_ID_STRIDE + CONTENT_PURPOSES.indexOf(purpose);
}

/** Gives each distinct name (a prefix's id in a trace, say) its own content, in order of first use. */
export class NamedContents {
  readonly #ids = new Map<string, number>();

  idOf(name: string): number {
    let id = this.#ids.get(name);
    if (id === undefined) {
      id = contentId("named", this.#ids.size);
      this.#ids.set(name, id);
    }
    return id;
  }
}
