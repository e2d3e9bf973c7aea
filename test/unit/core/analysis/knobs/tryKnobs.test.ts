import { describe, expect, it } from "vitest";
import { RunDigester } from "../../../../../src/core/analysis/digest/runDigest.js";
import { findBottleneck } from "../../../../../src/core/analysis/knobs/bottleneck.js";
import { knobsFor, type Tunable } from "../../../../../src/core/analysis/knobs/knobs.js";
import { adviseOn } from "../../../../../src/core/analysis/knobs/tryKnobs.js";
import { mergeConfig } from "../../../../../src/core/config/mergeConfig.js";
import { parseConfig } from "../../../../../src/core/config/parseConfig.js";
import { type RunConfig, runConfigSchema } from "../../../../../src/core/engine/runConfig.js";
import { type RunSummary, simulate } from "../../../../../src/core/engine/simulate.js";
import { CapacityError, InvariantError } from "../../../../../src/core/errors/simulationError.js";
import { loadGpu, loadGpuCatalog } from "../../../../../src/io/catalog.js";
import { loadDeployment } from "../../../../../src/io/loadDeployment.js";
import { BUSY } from "../loggedRun.js";

const KINDS = [
  "front-end",
  "sequences",
  "token-budget",
  "kv-cache",
  "memory",
  "compute",
  "network",
  "launch",
  "wait",
] as const;

function watchedRun(input: object) {
  const config = parseConfig(runConfigSchema, input, "");
  const observer = new RunDigester();
  const result = simulate(loadDeployment(config), config, { observer });
  const { summary } = result;
  const tunable: Tunable = { config: summary.config, gpu: loadGpu(config.gpu), otherGpus: loadGpuCatalog() };
  return { summary, digest: observer.digest(result), tunable };
}

const simulateWith = (config: RunConfig): RunSummary => simulate(loadDeployment(config), config).summary;

const bounds = [{ bound: "memory", fraction: 0.6 }] as const;
const none = { sequences: 0, tokens: 0, kvBlocks: 0 };
const engine = (frontEndBusyFraction: number) => ({ engine: { frontEndBusyFraction } as RunSummary["engine"] });

describe("a bottleneck", () => {
  it("is the front end first, then the limit that keeps most waiting, then what binds the steps", () => {
    const kv = { ...none, tokens: 0.1, kvBlocks: 0.4 };
    expect(findBottleneck(engine(0.95), { limits: kv, bounds })).toEqual({ kind: "front-end", share: 0.95 });
    expect(findBottleneck(engine(0.2), { limits: kv, bounds })).toEqual({ kind: "kv-cache", share: 0.4 });
    expect(findBottleneck(engine(0.2), { limits: { ...none, kvBlocks: 0.1 }, bounds })).toEqual({
      kind: "memory",
      share: 0.6,
    });
    expect(findBottleneck(engine(0.2), { limits: none, bounds: [] })).toBeNull();
  });

  it.each([
    ["kv-cache", BUSY],
    ["sequences", { ...BUSY, engine: { ...BUSY.engine, maxNumSeqs: 2, numGpuBlocksOverride: null } }],
    ["token-budget", { ...BUSY, engine: { ...BUSY.engine, maxNumBatchedTokens: 40, numGpuBlocksOverride: null } }],
    ["memory", { ...BUSY, workload: { ...BUSY.workload, profile: { kind: "synchronous" } } }],
  ])("is found to be %s where the run is made so", (kind, config) => {
    const { summary, digest } = watchedRun(config);
    expect(findBottleneck(summary, digest)?.kind).toBe(kind);
  });
});

describe("the changes tried", () => {
  const { tunable } = watchedRun({
    ...BUSY,
    engine: { ...BUSY.engine, asyncScheduling: false, enablePrefixCaching: false },
  });

  it.each(KINDS)("against %s each change one option of a valid config, and none is in force already", (kind) => {
    const knobs = knobsFor(kind, tunable);
    expect(knobs.length).toBeGreaterThanOrEqual(3);
    expect(new Set(knobs.map(({ flag }) => flag)).size).toBe(knobs.length);
    for (const { flag, change } of knobs) {
      const changed = runConfigSchema.parse(mergeConfig(tunable.config, change));
      expect(changed, flag).not.toEqual(tunable.config);
      expect(Object.keys(change.engine ?? { gpu: 1 }), flag).toHaveLength(1);
    }
  });

  it("move on to the next faster GPU, and to none from the fastest", () => {
    const gpuOf = (id: string) =>
      knobsFor("memory", { ...tunable, gpu: loadGpu(id) }).flatMap(({ change }) => change.gpu ?? []);
    expect(gpuOf("H100")).toEqual(["H200"]);
    expect(gpuOf("GB200")).toEqual([]);
  });
});

describe("advice", () => {
  const { summary, digest, tunable } = watchedRun(BUSY);

  it("simulates the same requests once per change and names the best", () => {
    const tried: string[] = [];
    const advice = adviseOn(summary, digest, tunable, {
      simulateWith,
      onTrial: (_i, _of, { flag }) => tried.push(flag),
    })!;
    expect(tried).toEqual(advice.trials.map(({ knob }) => knob.flag));
    const best = advice.trials[advice.best!]!;
    for (const { gain } of advice.trials) expect(gain ?? 0).toBeLessThanOrEqual(best.gain!);
    expect(best.metrics!.e2eP99Ms!).toBeLessThan(advice.base.e2eP99Ms!);
    const again = adviseOn(summary, digest, tunable, { simulateWith });
    expect(again).toEqual(advice);
  });

  it("finds nothing better where nothing changes", () => {
    const advice = adviseOn(summary, digest, tunable, { simulateWith: () => summary })!;
    expect([advice.best, advice.bestSetting]).toEqual([null, null]);
    for (const { gain } of advice.trials) expect(gain).toBe(0);
  });

  it("takes fewer served requests for no improvement, however fast they were", () => {
    const { requests, ...fast } = { ...summary, ttftMs: { ...summary.ttftMs, p99: 1 } };
    const lossy = { ...fast, requests: { ...requests, completed: requests.completed - 1 } };
    const advice = adviseOn(summary, digest, tunable, { simulateWith: () => lossy })!;
    expect(advice.best).toBeNull();
  });

  it("reports a refused change with its reason and goes on; a bug is not swallowed", () => {
    const refuse = () => {
      throw new CapacityError("the weights do not fit", 2, 1, []);
    };
    const { trials } = adviseOn(summary, digest, tunable, { simulateWith: refuse })!;
    for (const { metrics, reason } of trials) {
      expect(metrics).toBeNull();
      expect(reason).toContain("the weights do not fit");
    }
    const fail = () => {
      throw new InvariantError("impossible");
    };
    expect(() => adviseOn(summary, digest, tunable, { simulateWith: fail })).toThrow(InvariantError);
  });
});
