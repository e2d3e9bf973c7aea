/** A server and what is changed in it, under a load. */
export interface Scenario {
  readonly name: string;
  readonly numRequests: number;
  readonly profile: object;
  /** Parts of a run's config, before and after. */
  readonly a: object;
  readonly b: object;
}

/** Chat-like lengths: most of a request's latency is its own, and a few are long. */
export const CHAT = {
  kind: "lengths",
  prompt: { kind: "lognormal", mean: 500, cv: 1, max: 8000 },
  output: { kind: "lognormal", mean: 200, cv: 0.7, max: 1000 },
};

const poisson = (rate: number) => ({ kind: "poisson", rate });
const bursty = (rate: number) => ({ kind: "gamma", rate, burstiness: 0.25 });
const tokens = (maxNumBatchedTokens: number) => ({ engine: { maxNumBatchedTokens } });
const sequences = (maxNumSeqs: number) => ({ engine: { maxNumSeqs } });
const GPUS = { a: { gpu: "H100" }, b: { gpu: "H200" } };
const BUDGETS = { a: tokens(2048), b: tokens(8192) };

/** From a server that hardly notices its load to one that is overrun. */
export const SCENARIOS: readonly Scenario[] = [
  { name: "light: 4/s, another GPU", numRequests: 500, profile: poisson(4), ...GPUS },
  {
    name: "closed loop: 16 streams, another GPU",
    numRequests: 800,
    profile: { kind: "concurrent", streams: 16 },
    ...GPUS,
  },
  { name: "busy, long run: 12/s, another GPU", numRequests: 1200, profile: poisson(12), ...GPUS },
  { name: "busy, short run: 25/s, larger token budget", numRequests: 600, profile: poisson(25), ...BUDGETS },
  {
    name: "rare queues: 4/s in bursts, 16 → 24 sequences",
    numRequests: 1000,
    profile: bursty(4),
    a: sequences(16),
    b: sequences(24),
  },
  {
    name: "bursty: 12/s in bursts, 32 → 36 sequences",
    numRequests: 800,
    profile: bursty(12),
    a: sequences(32),
    b: sequences(36),
  },
  {
    name: "near saturation: 16/s, 32 → 36 sequences",
    numRequests: 800,
    profile: poisson(16),
    a: sequences(32),
    b: sequences(36),
  },
  {
    name: "overload: 24/s, 32 → 40 sequences",
    numRequests: 800,
    profile: poisson(24),
    a: sequences(32),
    b: sequences(40),
  },
];
