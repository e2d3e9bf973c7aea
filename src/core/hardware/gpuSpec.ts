/** A number group with where it was read. */
export interface Sourced {
  /** Document or page the numbers come from. */
  readonly source: string;
}

/** What a GPU can do at best; every rate is dense (no sparsity), per GPU, one direction. */
export interface GpuSpec {
  /** Id as users write it: `H100`, `A100-80`, … */
  readonly id: string;
  readonly name: string;
  readonly memory: Sourced & {
    /** Bytes the driver reports as total. */
    readonly capacityBytes: number;
    readonly bandwidthBytesPerS: number;
    readonly l2Bytes: number;
  };
  readonly compute: Sourced & {
    readonly numSms: number;
    /** Dense tensor-core peaks, FLOP/s; a dtype the chip lacks runs at bf16's. */
    readonly bf16FlopsPerS: number;
    readonly fp8FlopsPerS: number | null;
  };
  readonly interconnect: Sourced & {
    readonly kind: "nvlink" | "pcie";
    /** Bytes/s one GPU can send to its peers. */
    readonly bandwidthBytesPerS: number;
  };
}
