import { describe, expect, it } from "vitest";
import { parseConfig } from "../../../../../src/core/config/parseConfig.js";
import { createServer, type Deployment } from "../../../../../src/core/engine/createServer.js";
import { type RunConfig, runConfigSchema } from "../../../../../src/core/engine/runConfig.js";
import { runServer, simulate } from "../../../../../src/core/engine/simulate.js";
import { ConfigError } from "../../../../../src/core/errors/simulationError.js";
import { perturbDeployment } from "../../../../../src/core/evaluation/uncertainty/perturbDeployment.js";
import { PossibleWorld } from "../../../../../src/core/evaluation/uncertainty/possibleWorld.js";
import {
  simulateWorlds,
  type UncertaintyOptions,
} from "../../../../../src/core/evaluation/uncertainty/simulateWorlds.js";
import { summariseRecords } from "../../../../../src/core/metrics/runMetrics.js";
import type { RunUncertainty } from "../../../../../src/core/metrics/runUncertainty.js";
import { createWorkload } from "../../../../../src/core/workload/createWorkload.js";
import { loadDeployment } from "../../../../../src/io/loadDeployment.js";

const deployment = loadDeployment({ model: "meta-llama/Llama-3.1-8B-Instruct", gpu: "H100" });

function config(rate: number): RunConfig {
  const data = { kind: "synthetic", promptTokens: 300, promptTokensStdev: 60, outputTokens: 40 };
  return parseConfig(runConfigSchema, { workload: { profile: { kind: "poisson", rate }, data, maxRequests: 60 } }, "");
}

function uncertainty(options: Partial<UncertaintyOptions> = {}, given: Deployment = deployment, rate = 20) {
  const run = config(rate);
  const workloadOf = (seed: number) => createWorkload(run.workload, seed);
  const all = { draws: 12, run: "run", isGenerated: true, ...options };
  return simulateWorlds(given, run, simulate(given, run), workloadOf, all);
}

/** What a server of one of the worlds would be measured at. */
function plantedTruth(run: RunConfig, index: number) {
  const server = createServer(deployment, run.engine, run.sampling);
  const sources = new Set(["kernels", "constants", "variation"] as const);
  const perturbation = { world: new PossibleWorld(run.seed, index), run: "run", sources };
  const truth = createServer(perturbDeployment(deployment, server, perturbation), run.engine, run.sampling);
  return summariseRecords(runServer(truth, createWorkload(run.workload, run.seed - 1)).records);
}

/** The deployment with all kernel errors multiplied. */
function withErrors(factor: number): Deployment {
  const errors = deployment.kernelErrors!;
  return {
    ...deployment,
    kernelErrors: {
      ...errors,
      operatorSd: (operator, source) => factor * errors.operatorSd(operator, source),
      commonSd: 0,
    },
  };
}

const latencies = ["ttftMs", "tpotMs", "itlMs", "e2eMs"] as const;
const statistics = ["mean", "p50", "p90", "p99"] as const;

function widths({ intervals }: RunUncertainty): number[] {
  return latencies.flatMap((latency) =>
    statistics.map((name) => intervals[latency][name]!.high - intervals[latency][name]!.low),
  );
}

describe("possible worlds", () => {
  it("are numbers of seed, place and purpose alone", () => {
    const numbers = (seed: number, index: number) => {
      const world = new PossibleWorld(seed, index);
      return [world.normal("b"), world.normal("a"), world.workloadSeed];
    };
    const [b, a, workloadSeed] = numbers(7, 3) as [number, number, number];
    const world = new PossibleWorld(7, 3);
    expect([world.workloadSeed, world.normal("a"), world.normal("a"), world.normal("b")]).toEqual([
      workloadSeed,
      a,
      a,
      b,
    ]);
    expect(numbers(7, 4)).not.toContain(a);
    expect(numbers(8, 3)).not.toContain(a);
  });
});

describe("intervals of a run", () => {
  const twelve = uncertainty();

  it("contain the run's own numbers", () => {
    const { summary } = simulate(deployment, config(20));
    for (const latency of latencies) {
      for (const name of statistics) {
        const { low, high } = twelve.intervals[latency][name]!;
        expect(low).toBeLessThanOrEqual(summary[latency][name]!);
        expect(high).toBeGreaterThanOrEqual(summary[latency][name]!);
      }
    }
    const { low, high } = twelve.intervals.throughput.outputTokensPerS!;
    expect(low).toBeLessThanOrEqual(summary.throughput.outputTokensPerS!);
    expect(high).toBeGreaterThan(low);
  });

  it("stand beside the median of the worlds, which lies in them wherever the run's own number does", () => {
    for (const latency of latencies) {
      for (const name of statistics) {
        const { low, high } = twelve.intervals[latency][name]!;
        expect(twelve.medians[latency][name]).toBeGreaterThan(low);
        expect(twelve.medians[latency][name]).toBeLessThan(high);
      }
    }
    // The run is one draw of its workload: its median TTFT is not that of the worlds.
    const { ttftMs } = simulate(deployment, config(20)).summary;
    expect(twelve.medians.ttftMs.p50).not.toBe(ttftMs.p50);
    const certain = uncertainty({ sources: [] });
    expect(certain.medians.ttftMs.p50).toBe(ttftMs.p50);
    expect(certain.medians.throughput.requestsPerS).toBe(certain.intervals.throughput.requestsPerS!.low);
  });

  it("are the same for the same seed, and say what they come from", () => {
    expect(uncertainty()).toEqual(twelve);
    expect(twelve).toMatchObject({ level: 0.8, draws: 12 });
    expect(twelve.sources.join()).toContain("nobody has calibrated");
    expect(twelve.sources.join()).toContain("another seed");
    expect(uncertainty({ isGenerated: false }).sources.join()).not.toContain("another seed");
  });

  it("have no width where nothing is uncertain", () => {
    expect(Math.max(...widths(uncertainty({ sources: [] })))).toBe(0);
    expect(Math.max(...widths(uncertainty({ sources: ["kernels"] }, withErrors(0))))).toBe(0);
  });

  it("widen with the errors of the kernels", () => {
    const sums = [0.5, 1, 2, 4].map((factor) =>
      widths(uncertainty({ sources: ["kernels"] }, withErrors(factor))).reduce((sum, width) => sum + width, 0),
    );
    expect(sums).toEqual([...sums].sort((a, b) => a - b));
    expect(sums[3]! / sums[0]!).toBeGreaterThan(4);
  });

  it.each(["kernels", "constants", "variation", "seed"] as const)("widen by %s alone", (source) => {
    expect(Math.max(...widths(uncertainty({ sources: [source] })))).toBeGreaterThan(0);
  });

  it("know a fitted constant as well as its calibration says", () => {
    const frontEnd = (standardErrors: Record<string, number>) =>
      uncertainty({ sources: ["constants"] }, { ...deployment, constants: { standardErrors } }).intervals.ttftMs.p50!;
    const all = { frontEndUs: 1, frontEndUsPerPromptToken: 0, kernelGapUsPerLayer: 0, rankSkewUsPerDoubling: 0 };
    const [sure, unsure] = [frontEnd(all), frontEnd({ ...all, frontEndUs: 5000 })];
    expect(sure.high - sure.low).toBeLessThan(0.02);
    expect(unsure.high - unsure.low).toBeGreaterThan(5);
  });

  it("are refused for prices whose errors nobody has measured", () => {
    const { kernelErrors: _unknown, ...silent } = deployment;
    expect(() => uncertainty({}, silent)).toThrow(ConfigError);
    expect(() => uncertainty({}, silent)).toThrow(/kernel prices that come without errors/);
    expect(() => uncertainty({}, { ...deployment, stepPricing: { kind: "roofline-v1" } })).toThrow(
      /a step model other than the full additive one/,
    );
  });
});

describe("coverage of planted truths", () => {
  // Servers that are as uncertain as is believed: their numbers lie in the 80 % intervals 80 times of 100.
  it("is 80 % for the numbers of worlds that were not among the draws", () => {
    const numTruths = 120;
    const run = config(12);
    const workloadOf = () => createWorkload(run.workload, run.seed);
    const options = { draws: 79, run: "run", isGenerated: false };
    const { intervals } = simulateWorlds(deployment, run, simulate(deployment, run), workloadOf, options);
    const planted = { ...run, seed: run.seed + 1 };
    let held = 0;
    let numbers = 0;
    for (let first = 0; first < numTruths; first++) {
      const truth = plantedTruth(planted, first);
      for (const [latency, name] of [
        ["e2eMs", "mean"],
        ["ttftMs", "p50"],
        ["itlMs", "mean"],
      ] as const) {
        const { low, high } = intervals[latency][name]!;
        const value = truth[latency][name]!;
        numbers++;
        if (low <= value && value <= high) held++;
      }
    }
    // Three numbers of a world err together: the truths are the sample. The intervals' own ends add as much again.
    const standardError = Math.sqrt((0.8 * 0.2) / numTruths + (0.8 * 0.2) / options.draws);
    expect(Math.abs(held / numbers - 0.8)).toBeLessThan(2.5 * standardError);
  });
});
