import { describe, expect, it } from "vitest";
import { parseConfig } from "../../src/core/config/parseConfig.js";
import { createServer } from "../../src/core/engine/createServer.js";
import { type RunConfig, runConfigSchema } from "../../src/core/engine/runConfig.js";
import { runRegime } from "../../src/core/engine/simulate.js";
import { RecordColumns } from "../../src/core/metrics/recordColumns.js";
import { US_PER_S } from "../../src/core/units/units.js";
import { createWorkload } from "../../src/core/workload/createWorkload.js";
import { loadDeployment } from "../../src/io/loadDeployment.js";
import { plainServer, SimpleStepModel, serve } from "../unit/core/engine/plainServer.js";

const SEED = 20260301;
const deployment = loadDeployment({ model: "meta-llama/Llama-3.1-8B-Instruct", gpu: "H100" });

function config(profile: object, changes: object = {}): RunConfig {
  const data = { kind: "synthetic", promptTokens: 500, outputTokens: 60 };
  const engine = { maxNumSeqs: 16 };
  return parseConfig(runConfigSchema, { engine, workload: { profile, data, maxRequests: 1500, ...changes } }, "");
}

/** Regime and mean latency with every GPU step stretched by a factor. */
function simulateStretched({ engine, sampling, workload }: RunConfig, factor = 1) {
  const server = createServer(deployment, engine, sampling);
  const { stepModel } = server;
  const stretched = {
    pricesLockstep: stepModel.pricesLockstep,
    componentNames: stepModel.componentNames,
    componentCategories: stepModel.componentCategories,
    gpuUs: (...args: Parameters<typeof stepModel.gpuUs>) => factor * stepModel.gpuUs(...args),
    breakdown: (...args: Parameters<typeof stepModel.breakdown>) => stepModel.breakdown(...args),
  };
  const run = serve({ ...server.parts, stepModel: stretched }, createWorkload(workload, SEED));
  const sumUs = run.records.reduce((sum, { lastTokenUs, arrivalUs }) => sum + lastTokenUs - arrivalUs, 0);
  return { regime: runRegime(server, RecordColumns.of(run.records), run.stats), meanE2eUs: sumUs / run.records.length };
}

describe("regimes over a sweep of the rate", () => {
  const rates = [2, 6, 12, 20, 24, 28, 31, 34, 40, 60];
  const sweep = rates.map((rate) => simulateStretched(config({ kind: "poisson", rate })).regime);

  it("go from below over near to past saturation and never back", () => {
    const order = sweep.map(({ label }) => ["below", "near", "past"].indexOf(label));
    expect(order).toEqual([...order].sort());
    expect(new Set(order)).toEqual(new Set([0, 1, 2]));
  });

  it("come with a utilisation that rises with the rate, between 0 and 1", () => {
    for (const { utilisation } of sweep) {
      expect(utilisation).toBeGreaterThanOrEqual(0);
      expect(utilisation).toBeLessThanOrEqual(1);
    }
    const utilisations = sweep.slice(0, 7).map(({ utilisation }) => utilisation);
    expect(utilisations).toEqual([...utilisations].sort((a, b) => a - b));
  });

  it("mean what they say: below saturation 1 % of step time becomes 1/(1 − utilisation) % of latency, less than 2", () => {
    for (const rate of rates.filter((_, i) => sweep[i]?.label === "below")) {
      const given = config({ kind: "poisson", rate });
      const { utilisation } = simulateStretched(given).regime;
      const growth = simulateStretched(given, 1.01).meanE2eUs / simulateStretched(given, 0.99).meanE2eUs;
      const amplification = Math.log(growth) / Math.log(1.01 / 0.99);
      expect(amplification).toBeLessThan(2);
      expect(Math.abs(amplification * (1 - utilisation) - 1)).toBeLessThan(0.15);
    }
  });
});

describe("loads that follow the server", () => {
  it.each([
    ["one request at a time", { kind: "synchronous" }, {}, "below"],
    ["four streams on sixteen slots", { kind: "concurrent", streams: 4 }, {}, "below"],
    ["more streams than slots", { kind: "concurrent", streams: 64 }, {}, "past"],
    ["everything at once", { kind: "throughput", maxConcurrency: null }, {}, "past"],
  ])("%s is a closed loop", (_, profile, changes, label) => {
    const { regime } = simulateStretched(config(profile, { maxRequests: 200, ...changes }));
    expect(regime).toMatchObject({ closedLoop: true, label });
  });
});

describe("a server with one slot is an M/D/1 queue", () => {
  it.each([0.5, 0.8])("somebody waits in a share 1 − p₀ − p₁ of its steps, at utilisation %f", (rho) => {
    const serviceUs = 10_000;
    const fixed = (tokens: number) => ({ kind: "fixed", tokens });
    const given = {
      workload: {
        profile: { kind: "poisson", rate: (rho * US_PER_S) / serviceUs },
        data: { kind: "lengths", prompt: fixed(16), output: fixed(1) },
        maxRequests: 40_000,
      },
    };
    const { workload } = parseConfig(runConfigSchema, given, "");
    const server = plainServer({ stepModel: new SimpleStepModel(serviceUs), maxNumSeqs: 1 });
    const { stats } = serve(server, createWorkload(workload, SEED));
    // A step's whole time counts by who waits when it starts: a service leaves none or one behind with
    // p₀ + p₁ = (1 − ρ)·e^ρ, and then the next one starts alone.
    const startsAlone = (1 - rho) * Math.exp(rho);
    const expected = rho * (1 - startsAlone);
    expect(Math.abs(stats.limitedUs / stats.simulatedUs / expected - 1)).toBeLessThan(0.1);
    expect(stats.limitedUs).toBeLessThanOrEqual(stats.gpuBusyUs);
  });
});
