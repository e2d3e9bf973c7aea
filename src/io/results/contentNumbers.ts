import { CONTENT_ID_STRIDE } from "../../core/workload/contentIds.js";

/** Contents of one purpose with neighbouring indices, whose numbers are kept together. */
const PAGE_CONTENTS = 32;
/** Numbers that are allocated at a time. */
const SLAB_CONTENTS = 2048 * PAGE_CONTENTS;

/**
 * Numbers contents as they first appear, from 0. Takes about 6 bytes for each content of a generator, which counts them,
 * and up to 170 for one whose id has no neighbours.
 */
export class ContentNumbers {
  /** Where the numbers of a page begin. */
  readonly #pages = new Map<number, number>();
  /** One more than the number; 0 = not seen yet. */
  readonly #slabs: Uint32Array[] = [];
  #numSeen = 0;

  numberOf(contentId: number): number {
    const purpose = contentId % CONTENT_ID_STRIDE;
    const index = (contentId - purpose) / CONTENT_ID_STRIDE;
    const place =
      this.#pageStart(Math.floor(index / PAGE_CONTENTS) * CONTENT_ID_STRIDE + purpose) + (index % PAGE_CONTENTS);
    const slab = this.#slabs[Math.floor(place / SLAB_CONTENTS)]!;
    const known = slab[place % SLAB_CONTENTS]!;
    if (known > 0) return known - 1;
    slab[place % SLAB_CONTENTS] = ++this.#numSeen;
    return this.#numSeen - 1;
  }

  #pageStart(page: number): number {
    const known = this.#pages.get(page);
    if (known !== undefined) return known;
    const start = this.#pages.size * PAGE_CONTENTS;
    if (start % SLAB_CONTENTS === 0) this.#slabs.push(new Uint32Array(SLAB_CONTENTS));
    this.#pages.set(page, start);
    return start;
  }
}
