/** The adapters one step uses, when their number is limited. A handful at most, so a scan beats a set. */
export class LoraSlots {
  readonly #maxLoras: number;
  readonly #adapters: string[] = [];
  #numUsed = 0;

  /** @param maxLoras distinct adapters per step; 0 = no limit */
  constructor(maxLoras: number) {
    this.#maxLoras = maxLoras;
  }

  /** No limit: nothing to keep account of. */
  get isUnlimited(): boolean {
    return this.#maxLoras === 0;
  }

  clear(): void {
    this.#numUsed = 0;
  }

  /** Whether a request of this adapter may join the step; the base model needs no slot. */
  canUse(adapter: string | null): boolean {
    if (adapter === null || this.#maxLoras === 0 || this.#numUsed < this.#maxLoras) return true;
    return this.#isUsed(adapter);
  }

  use(adapter: string | null): void {
    if (adapter === null || this.#maxLoras === 0 || this.#isUsed(adapter)) return;
    this.#adapters[this.#numUsed++] = adapter;
  }

  #isUsed(adapter: string): boolean {
    for (let i = 0; i < this.#numUsed; i++) if (this.#adapters[i] === adapter) return true;
    return false;
  }
}
