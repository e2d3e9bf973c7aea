/** vLLM versions whose scheduling differs; a version in between behaves as the last one listed before it. */
export const VLLM_VERSIONS = ["0.11.0", "0.11.1", "0.12", "0.13", "0.14", "0.15", "0.18"] as const;
export type VllmVersion = (typeof VLLM_VERSIONS)[number];

/** What a vLLM version changes in this simulator. */
export interface VllmVersionTraits {
  /** Two steps in flight by default. */
  readonly isAsyncByDefault: boolean;
  /** What happens when chunked prefill is off and the head of the queue exceeds the budget. */
  readonly noChunkRule: "stop" | "skip";
}

const TRAITS: Readonly<Record<VllmVersion, VllmVersionTraits>> = {
  "0.11.0": { isAsyncByDefault: false, noChunkRule: "skip" },
  "0.11.1": { isAsyncByDefault: false, noChunkRule: "skip" },
  "0.12": { isAsyncByDefault: false, noChunkRule: "stop" },
  "0.13": { isAsyncByDefault: false, noChunkRule: "stop" },
  "0.14": { isAsyncByDefault: true, noChunkRule: "stop" },
  "0.15": { isAsyncByDefault: true, noChunkRule: "stop" },
  "0.18": { isAsyncByDefault: true, noChunkRule: "stop" },
};

export function vllmVersionTraits(version: VllmVersion): VllmVersionTraits {
  return TRAITS[version];
}

/**
 * The listed version whose behaviour a release has, e.g. `v0.15.1` → `0.15`, `0.11.0` → `0.11.0`, `0.16.2` → `0.15`.
 * @returns null when the text is no version or older than the first one listed
 */
export function nearestVllmVersion(text: string): VllmVersion | null {
  const parts = /^v?(\d+)\.(\d+)(?:\.(\d+))?/.exec(text.trim());
  if (parts === null) return null;
  const release = releaseNumber(parts);
  let nearest: VllmVersion | null = null;
  for (const version of VLLM_VERSIONS) {
    const listed = /^(\d+)\.(\d+)(?:\.(\d+))?/.exec(version) as RegExpExecArray;
    if (releaseNumber(listed) <= release) nearest = version;
  }
  return nearest;
}

function releaseNumber(parts: RegExpExecArray): number {
  return Number(parts[1]) * 1e6 + Number(parts[2]) * 1e3 + Number(parts[3] ?? 0);
}
