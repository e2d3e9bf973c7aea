const STATE_WORDS = 624;
const SHIFT_WORDS = 397;

/**
 * CPython's `random.Random(seed)`: the Mersenne Twister MT19937, so that a seed gives the numbers Python gives.
 * @see Matsumoto & Nishimura 1998; CPython Modules/_randommodule.c and Lib/random.py (3.10–3.13 agree)
 */
export class PythonRandom {
  readonly #state = new Uint32Array(STATE_WORDS);
  #index = STATE_WORDS;
  /** Second of a Box–Muller pair, kept for the next `gauss`; NaN = none. */
  #nextNormal = Number.NaN;

  /** @param seed safe integer; like Python, the sign is ignored */
  constructor(seed: number) {
    const magnitude = Math.abs(seed);
    const high = Math.floor(magnitude / 2 ** 32);
    this.#seedByArray(high === 0 ? [magnitude >>> 0] : [magnitude >>> 0, high]);
  }

  /** Python's `random()`: uniform in [0, 1) with 53 bits. */
  random(): number {
    const high = this.#nextWord() >>> 5;
    const low = this.#nextWord() >>> 6;
    return (high * 2 ** 26 + low) / 2 ** 53;
  }

  /** Python's `gauss(mean, stddev)`. */
  gauss(mean: number, stddev: number): number {
    let z = this.#nextNormal;
    this.#nextNormal = Number.NaN;
    if (Number.isNaN(z)) {
      const angle = this.random() * 2 * Math.PI;
      const radius = Math.sqrt(-2 * Math.log(1 - this.random()));
      z = Math.cos(angle) * radius;
      this.#nextNormal = Math.sin(angle) * radius;
    }
    return mean + z * stddev;
  }

  /** Python's `randint(min, max)`: both included. */
  randint(min: number, max: number): number {
    return min + this.randbelow(max - min + 1);
  }

  /**
   * Uniform in [0, n), as `choice` draws its index: too large draws of the bit length of n are thrown away.
   * @param n 1 … 2^32 − 1
   */
  randbelow(n: number): number {
    const shift = Math.clz32(n);
    let draw = this.#nextWord() >>> shift;
    while (draw >= n) draw = this.#nextWord() >>> shift;
    return draw;
  }

  #seedByArray(key: readonly number[]): void {
    const state = this.#state;
    state[0] = 19_650_218;
    for (let i = 1; i < STATE_WORDS; i++) state[i] = Math.imul(1_812_433_253, previousMix(state, i)) + i;
    let i = 1;
    let j = 0;
    for (let k = STATE_WORDS; k > 0; k--) {
      state[i] = (state[i]! ^ Math.imul(previousMix(state, i), 1_664_525)) + key[j]! + j;
      i = advance(state, i);
      j = (j + 1) % key.length;
    }
    for (let k = STATE_WORDS - 1; k > 0; k--) {
      state[i] = (state[i]! ^ Math.imul(previousMix(state, i), 1_566_083_941)) - i;
      i = advance(state, i);
    }
    state[0] = 0x8000_0000;
  }

  #nextWord(): number {
    if (this.#index >= STATE_WORDS) this.#regenerate();
    let word = this.#state[this.#index++]!;
    word ^= word >>> 11;
    word ^= (word << 7) & 0x9d2c_5680;
    word ^= (word << 15) & 0xefc6_0000;
    return (word ^ (word >>> 18)) >>> 0;
  }

  #regenerate(): void {
    const state = this.#state;
    for (let i = 0; i < STATE_WORDS; i++) {
      const joined = (state[i]! & 0x8000_0000) | (state[(i + 1) % STATE_WORDS]! & 0x7fff_ffff);
      const twist = (joined >>> 1) ^ (joined & 1 ? 0x9908_b0df : 0);
      state[i] = state[(i + SHIFT_WORDS) % STATE_WORDS]! ^ twist;
    }
    this.#index = 0;
  }
}

function previousMix(state: Uint32Array, i: number): number {
  const previous = state[i - 1]!;
  return previous ^ (previous >>> 30);
}

/** Steps the seeding index; past the end the last word becomes the first and the walk restarts at 1. */
function advance(state: Uint32Array, i: number): number {
  if (i + 1 < STATE_WORDS) return i + 1;
  state[0] = state[STATE_WORDS - 1]!;
  return 1;
}
