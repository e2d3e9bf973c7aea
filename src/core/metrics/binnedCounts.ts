import { type Distribution, EMPTY_DISTRIBUTION, repeatedDistributionOfSorted } from "./distribution.js";
import { type Quantiles, repeatedQuantiles } from "./quantiles.js";
import type { MergedValues } from "./weightedValues.js";

/** Bits of the mantissa that tell bins apart: a bin is at most 2⁻⁹ of its numbers wide, 0.2 %. */
const BIN_BITS = 9;
/** Bins are made as they are needed, an eighth of an octave at a time: a run of few gaps takes little. */
const PAGE_BITS = 6;
const BINS_PER_PAGE = 1 << PAGE_BITS;
/** Bits below those that tell bins apart in the high word of a double. */
const BIN_SHIFT = 20 - BIN_BITS;
/** The bin of 1 counted from that of the least double; all below 1 share it. */
const FIRST_BIN = 1023 << BIN_BITS;
/** Up to 2⁵³, where whole numbers end; all above share the last. */
const NUM_PAGES = 53 << (BIN_BITS - PAGE_BITS);
const LAST_BIN = (NUM_PAGES << PAGE_BITS) - 1;
/** Pages there is room for at first. */
const FIRST_PAGES = 8;

/** The bits of a number. JavaScript engines run on little-endian machines: the high word is the second. */
const NUMBER = new Float64Array(1);
const WORDS = new Uint32Array(NUMBER.buffer);

/**
 * How often numbers ≥ 0 came, in bins that the bits of the number itself pick, so that every machine picks the same; the
 * memory does not grow with how many there are. Count, least and greatest number are exact, and so is the sum of whole
 * numbers. Percentiles follow the rule of `distribution` over numbers of which each is the mean of its bin, so from 1 to
 * 2⁵³ they are at most 0.2 % off, and not at all where the numbers of a bin are equal.
 */
export class BinnedCounts {
  /** By page of bins: its place among those that were made, −1 = none. */
  readonly #places = new Array<number>(NUM_PAGES).fill(-1);
  #numPages = 0;
  /** Page by page, bin by bin: how many numbers it holds, and their sum. */
  #bins = new Float64Array(FIRST_PAGES * BINS_PER_PAGE * 2);
  #numBins = 0;
  #count = 0;
  #min = Number.POSITIVE_INFINITY;
  #max = Number.NEGATIVE_INFINITY;
  /** Equal numbers come one after the other: they are put into their bin together. */
  #pending = 0;
  #numPending = 0;

  /** @param value finite, ≥ 0 @param count how often it came, an integer ≥ 0 */
  add(value: number, count: number): void {
    if (value !== this.#pending) {
      if (this.#numPending > 0) this.#putAway();
      this.#pending = value;
    }
    this.#numPending += count;
  }

  get count(): number {
    return this.#count + this.#numPending;
  }

  get sum(): number {
    const { values, weights } = this.bins();
    return values.reduce((sum, value, i) => sum + value * weights[i]!, 0);
  }

  /** The mean of each bin that holds a number, ascending, and how many it holds. */
  bins(): MergedValues {
    if (this.#numPending > 0) this.#putAway();
    const bins = this.#bins;
    const values = new Float64Array(this.#numBins);
    const weights = new Float64Array(this.#numBins);
    let at = 0;
    for (let page = 0; page < NUM_PAGES; page++) {
      const place = this.#places[page]!;
      if (place < 0) continue;
      const end = (place + 1) * BINS_PER_PAGE * 2;
      for (let i = end - BINS_PER_PAGE * 2; i < end; i += 2) {
        const count = bins[i]!;
        if (count === 0) continue;
        values[at] = bins[i + 1]! / count;
        weights[at++] = count;
      }
    }
    return { values, weights };
  }

  /** The same counts of numbers that are each `by` greater. @param by ≥ 0 */
  shifted(by: number): BinnedCounts {
    const { values, weights } = this.bins();
    const shifted = new BinnedCounts();
    for (let i = 0; i < values.length; i++) shifted.add(values[i]! + by, weights[i]!);
    if (shifted.#numPending > 0) shifted.#putAway();
    shifted.#min = this.#min + by;
    shifted.#max = this.#max + by;
    return shifted;
  }

  /** Of the numbers in another unit. @param perUnit how many of this unit are one of the other */
  distribution(perUnit = 1): Distribution {
    const { values, weights } = this.bins();
    if (values.length === 0) return EMPTY_DISTRIBUTION;
    for (let i = 0; i < values.length; i++) values[i]! /= perUnit;
    const binned = repeatedDistributionOfSorted(values, weights);
    return { ...binned, min: this.#min / perUnit, max: this.#max / perUnit };
  }

  /** As `distribution`, drawn; null without numbers. */
  quantiles(perUnit = 1): Quantiles | null {
    const { values, weights } = this.bins();
    for (let i = 0; i < values.length; i++) values[i]! /= perUnit;
    const binned = repeatedQuantiles(values, weights);
    return binned && [this.#min / perUnit, ...binned.slice(1, -1), this.#max / perUnit];
  }

  #putAway(): void {
    const value = this.#pending;
    const count = this.#numPending;
    NUMBER[0] = value;
    let bin = (WORDS[1]! >>> BIN_SHIFT) - FIRST_BIN;
    if (bin < 0) bin = 0;
    else if (bin > LAST_BIN) bin = LAST_BIN;
    let place = this.#places[bin >>> PAGE_BITS]!;
    if (place < 0) place = this.#addPage(bin >>> PAGE_BITS);
    const at = (place * BINS_PER_PAGE + (bin & (BINS_PER_PAGE - 1))) * 2;
    const bins = this.#bins;
    const numBefore = bins[at]!;
    if (numBefore === 0) this.#numBins++;
    bins[at] = numBefore + count;
    bins[at + 1]! += count * value;
    this.#count += count;
    if (value < this.#min) this.#min = value;
    if (value > this.#max) this.#max = value;
    this.#numPending = 0;
  }

  #addPage(page: number): number {
    const place = this.#numPages++;
    this.#places[page] = place;
    const room = this.#bins.length / (BINS_PER_PAGE * 2);
    if (place === room) {
      const more = new Float64Array(2 * this.#bins.length);
      more.set(this.#bins);
      this.#bins = more;
    }
    return place;
  }
}
