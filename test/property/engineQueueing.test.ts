import { describe, expect, it } from "vitest";
import { parseConfig } from "../../src/core/config/parseConfig.js";
import { US_PER_S } from "../../src/core/units/units.js";
import { createWorkload } from "../../src/core/workload/createWorkload.js";
import { workloadConfigSchema } from "../../src/core/workload/workloadConfig.js";
import { plainServer, SimpleStepModel, serve } from "../unit/core/engine/plainServer.js";

const SEED = 20260221;
const SERVICE_US = 10_000;
const NUM_REQUESTS = 40_000;
const NUM_BATCHES = 40;

/** Queue waits of one-token requests on a server with one slot, µs, in order of arrival. */
function waitsUs(utilisation: number, asyncScheduling: boolean): { waits: number[]; busyFraction: number } {
  const fixed = (tokens: number) => ({ kind: "fixed", tokens });
  const workload = parseConfig(
    workloadConfigSchema,
    {
      profile: { kind: "poisson", rate: (utilisation * US_PER_S) / SERVICE_US },
      data: { kind: "lengths", prompt: fixed(16), output: fixed(1) },
      maxRequests: NUM_REQUESTS,
    },
    "workload",
  );
  const server = plainServer({ stepModel: new SimpleStepModel(SERVICE_US), maxNumSeqs: 1, asyncScheduling });
  const { records, stats } = serve(server, createWorkload(workload, SEED));
  return { waits: records.map(({ queueUs }) => queueUs), busyFraction: stats.gpuBusyUs / stats.simulatedUs };
}

const mean = (values: readonly number[]): number => values.reduce((sum, value) => sum + value, 0) / values.length;

/** Standard error of a mean of correlated values, from the means of consecutive batches. */
function batchError(values: readonly number[]): number {
  const size = Math.floor(values.length / NUM_BATCHES);
  const means = Array.from({ length: NUM_BATCHES }, (_, i) => mean(values.slice(i * size, (i + 1) * size)));
  const centre = mean(means);
  return Math.sqrt(mean(means.map((value) => (value - centre) ** 2)) / (NUM_BATCHES - 1));
}

describe("a server with one slot is an M/D/1 queue: mean wait = ρ·S / (2·(1 − ρ))", () => {
  it.each([
    [0.3, false],
    [0.6, false],
    [0.6, true],
    [0.8, true],
  ])("at utilisation %f, asynchronous %s", (utilisation, asyncScheduling) => {
    const { waits, busyFraction } = waitsUs(utilisation, asyncScheduling);
    const expected = (utilisation * SERVICE_US) / (2 * (1 - utilisation));
    const error = batchError(waits);
    expect(waits.length).toBe(NUM_REQUESTS);
    expect(error).toBeLessThan(0.05 * expected);
    expect(Math.abs(mean(waits) - expected)).toBeLessThan(3 * error);
    expect(Math.abs(busyFraction - utilisation)).toBeLessThan(0.02);
    // Poisson arrivals see time averages: a share 1 − ρ of them finds the server idle.
    const idle = waits.filter((waitUs) => waitUs === 0).length / waits.length;
    expect(Math.abs(idle - (1 - utilisation))).toBeLessThan(0.02);
  });
});
