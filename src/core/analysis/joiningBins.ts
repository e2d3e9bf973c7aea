/** How `JoiningBins` counts. */
export interface JoiningBinsOptions<Sums> {
  /** Even, ≥ 2. */
  readonly maxBins: number;
  /** Width before anything was joined, µs. */
  readonly firstWidthUs: number;
  /** What two bins hold together; changes neither. */
  readonly join: (a: Sums, b: Sums) => Sums;
}

/**
 * Sums over time in at most `maxBins` equal bins from time 0, whatever the length of the run: when time runs past the
 * last one, bins are joined in pairs.
 */
export class JoiningBins<Sums> {
  readonly #maxBins: number;
  readonly #join: (a: Sums, b: Sums) => Sums;
  #bins: (Sums | undefined)[] = [];
  #widthUs: number;

  constructor({ maxBins, firstWidthUs, join }: JoiningBinsOptions<Sums>) {
    this.#maxBins = maxBins;
    this.#widthUs = firstWidthUs;
    this.#join = join;
  }

  /** Width of a bin now, µs. */
  get widthUs(): number {
    return this.#widthUs;
  }

  /** Makes the bins so wide that one of them holds this time. */
  reach(timeUs: number): void {
    while (timeUs >= this.#widthUs * this.#maxBins) this.#joinPairs();
  }

  add(timeUs: number, sums: Sums): void {
    this.reach(timeUs);
    const index = Math.floor(timeUs / this.#widthUs);
    const there = this.#bins[index];
    this.#bins[index] = there === undefined ? sums : this.#join(there, sums);
  }

  /** From time 0; undefined where nothing was added. */
  bins(): (Sums | undefined)[] {
    return Array.from(this.#bins);
  }

  #joinPairs(): void {
    const numPairs = Math.ceil(this.#bins.length / 2);
    this.#bins = Array.from({ length: numPairs }, (_, i) => {
      const [a, b] = [this.#bins[2 * i], this.#bins[2 * i + 1]];
      if (a === undefined || b === undefined) return a ?? b;
      return this.#join(a, b);
    });
    this.#widthUs *= 2;
  }
}
