import { describe, expect, it } from "vitest";
import { parseConfig } from "../../src/core/config/parseConfig.js";
import { runConfigSchema } from "../../src/core/engine/runConfig.js";
import { simulateRequests } from "../../src/core/engine/simulate.js";
import { createWorkload } from "../../src/core/workload/createWorkload.js";
import { loadDeployment } from "../../src/io/loadDeployment.js";
import { simulatePlain } from "../reference/plainEngine/simulatePlain.js";

const lengths = {
  kind: "lengths",
  prompt: { kind: "lognormal", mean: 400, cv: 1, max: 3000 },
  output: { kind: "lognormal", mean: 60, cv: 0.8, max: 300 },
};

function config(changes: object, rate = 25, limits: object = {}) {
  const workload = { profile: { kind: "poisson", rate }, data: lengths, maxRequests: 250, ...limits };
  return parseConfig(runConfigSchema, { workload, ...changes }, "");
}

describe.each([
  ["asynchronous", config({}), true],
  ["synchronous", config({ engine: { asyncScheduling: false } }), true],
  ["of patient clients", config({}, 25, { timeoutS: 500 }), true],
  ["of clients who all leave at once", config({}, 25, { maxRequests: null, maxSeconds: 8 }), true],
  ["on few blocks", config({ engine: { numGpuBlocksOverride: 420 } }), true],
  [
    "of experts over two GPUs",
    config({ model: "mistralai/Mixtral-8x7B-v0.1", engine: { tensorParallelSize: 2 } }),
    true,
  ],
  [
    "of latent attention",
    config({ model: "deepseek-ai/DeepSeek-V2-Lite", gpu: "H200", engine: { numGpuBlocksOverride: 120 } }, 40),
    true,
  ],
  ["with sliding windows", config({ model: "google/gemma-2-9b" }, 8), false],
  ["priced by a baseline", config({ pricing: { stepModel: "roofline-v1" } }), false],
] as const)("a server %s", (_name, run, goesInLockstep) => {
  it("gives the plain engine's result, and goes in lockstep where its step model allows it", () => {
    const deployment = loadDeployment(run);
    const open = () => createWorkload(run.workload, run.seed);
    let numRequests = 0;
    let numLockstep = 0;
    const fast = simulateRequests(deployment, run, open(), {
      onStep({ batch }) {
        numRequests += batch.numRequests;
        numLockstep += batch.numLockstep;
      },
    });
    const plain = simulatePlain(deployment, run, open());
    expect(fast.records).toEqual(plain.records);
    expect(fast.summary).toEqual(plain.summary);
    if (run.engine.numGpuBlocksOverride !== null) expect(fast.summary.engine.preemptions).toBeGreaterThan(5);
    if (goesInLockstep) expect(numLockstep / numRequests).toBeGreaterThan(0.5);
    else expect(numLockstep).toBe(0);
  });
});
