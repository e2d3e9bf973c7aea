import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { parseConfig } from "../../src/core/config/parseConfig.js";
import { runConfigSchema } from "../../src/core/engine/runConfig.js";
import type { StepObserver } from "../../src/core/engine/runResult.js";
import { simulate } from "../../src/core/engine/simulate.js";
import { CapacityError, ConfigError } from "../../src/core/errors/simulationError.js";
import { weightBytesPerGpu } from "../../src/core/model/weights.js";
import { US_PER_S } from "../../src/core/units/units.js";
import { loadGpuCatalog, loadModelCatalog } from "../../src/io/catalog.js";
import { loadDeployment } from "../../src/io/loadDeployment.js";

const SETTINGS = { seed: 20260221, numRuns: 60 };
/** The engine's clock counts whole µs: a step may end half of one early. */
const CLOCK_US = 0.5;

const runConfig = fc.record({
  model: fc.constantFrom(...loadModelCatalog().map(({ architecture }) => architecture.id)),
  gpu: fc.constantFrom(...loadGpuCatalog().map(({ id }) => id)),
  engine: fc.record({
    tensorParallelSize: fc.constantFrom(1, 2, 4, 8),
    quantization: fc.constantFrom(null, null, "fp8", "awq"),
    kvCacheDtype: fc.constantFrom("auto", "fp8"),
    maxModelLen: fc.constant(4096),
    maxNumSeqs: fc.constantFrom(4, 64),
    asyncScheduling: fc.boolean(),
  }),
  workload: fc.record({
    profile: fc.constantFrom({ kind: "throughput" }, { kind: "poisson", rate: 20 }, { kind: "concurrent", streams: 3 }),
    data: fc.record({
      kind: fc.constant("synthetic"),
      promptTokens: fc.constantFrom(20, 900, 3000),
      outputTokens: fc.integer({ min: 1, max: 40 }),
    }),
    maxRequests: fc.constantFrom(1, 12),
  }),
});

describe("no step of a run is faster than physics", () => {
  it("on any built-in model and GPU: experts aside, every weight is read at peak bandwidth", () => {
    let numRuns = 0;
    let numSteps = 0;
    fc.assert(
      fc.property(runConfig, (input) => {
        const config = parseConfig(runConfigSchema, input, "");
        const deployment = loadDeployment({ model: config.model, gpu: config.gpu });
        const { architecture, gpu } = deployment;
        const isDense = architecture.layerGroups.every(({ moe }) => moe === null);
        const weightDtype = input.engine.quantization === "fp8" ? "fp8" : input.engine.quantization ? "int4" : "bf16";
        const allBytes = weightBytesPerGpu(architecture, input.engine.tensorParallelSize, weightDtype);
        // The embedding table is looked up, and the rotary table too: neither is read whole.
        const tableBytes = 2 * (architecture.vocabSize + 64) * architecture.hiddenSize + 2 ** 26;
        const leastUs = (US_PER_S * (allBytes - tableBytes)) / gpu.memory.bandwidthBytesPerS;
        let fastestUs = Number.POSITIVE_INFINITY;
        const observer: StepObserver = {
          onStep({ batch }, startUs, endUs) {
            numSteps++;
            if (batch.numSampled > 0) fastestUs = Math.min(fastestUs, endUs - startUs);
          },
        };
        try {
          const { summary } = simulate(deployment, config, { observer });
          numRuns++;
          if (isDense) expect(fastestUs).toBeGreaterThanOrEqual(leastUs - CLOCK_US);
          expect(summary.requests.completed + summary.requests.rejected).toBe(summary.requests.submitted);
          expect(summary.engine.busyFraction).toBeLessThanOrEqual(1);
          expect(summary.engine.kvPeakUsedFraction).toBeLessThanOrEqual(1);
        } catch (error) {
          // Not every model fits every GPU, nor divides by every tensor-parallel size.
          if (!(error instanceof CapacityError) && !(error instanceof ConfigError)) throw error;
        }
      }),
      SETTINGS,
    );
    expect(numRuns).toBeGreaterThan(15);
    expect(numSteps).toBeGreaterThan(1000);
  });
});
