import { describe, expect, it } from "vitest";
import { ScheduledBatch } from "../../../../src/core/batch/scheduledBatch.js";
import { engineConfigSchema, samplingConfigSchema } from "../../../../src/core/config/engineConfig.js";
import { createServer, type Deployment } from "../../../../src/core/engine/createServer.js";
import type { StepModel } from "../../../../src/core/stepmodel/stepModel.js";
import { loadDeployment } from "../../../../src/io/loadDeployment.js";

const deploymentOf = () => loadDeployment({ model: "meta-llama/Llama-3.1-8B", gpu: "H100" });

function stepModelOf(deployment: Deployment, engine: object = {}, sampling: object = {}): StepModel {
  return createServer(deployment, engineConfigSchema.parse(engine), samplingConfigSchema.parse(sampling)).stepModel;
}

/** µs of steps of many shapes. */
function prices(stepModel: StepModel): number[] {
  const componentsUs = new Float64Array(stepModel.componentNames.length);
  return Array.from({ length: 60 }, (_, i) => {
    const batch = new ScheduledBatch(64);
    for (let row = 0; row <= i; row++) batch.push(1, 50 * row + i, true);
    batch.numSampled = i + 1;
    if (i % 4 === 0) batch.push(97 + i, 13 * i, false);
    return stepModel.gpuUs(batch, componentsUs);
  });
}

describe("a deployment's step models", () => {
  it("are the same for servers that differ in what no step's price depends on", () => {
    const deployment = deploymentOf();
    const first = stepModelOf(deployment);
    expect(stepModelOf(deployment, { numGpuBlocksOverride: 900, maxModelLen: 4096 })).toBe(first);
  });

  it("are others for whatever changes a price", () => {
    const deployment = deploymentOf();
    const changes: [object, object][] = [
      [{}, {}],
      [{ tensorParallelSize: 2 }, {}],
      [{ quantization: "fp8" }, {}],
      [{ kvCacheDtype: "fp8" }, {}],
      [{ maxNumSeqs: 8 }, {}],
      [{}, { temperature: 0 }],
    ];
    const models = changes.map(([engine, sampling]) => stepModelOf(deployment, engine, sampling));
    models.push(stepModelOf({ ...deployment, constants: { waits: { fixedUs: 11 } } }));
    models.push(stepModelOf(deploymentOf()));
    expect(new Set(models).size).toBe(models.length);
  });

  it("price a step after any number of runs as a new one does", () => {
    const used = stepModelOf(deploymentOf());
    prices(used);
    expect(prices(used)).toEqual(prices(stepModelOf(deploymentOf())));
  });
});
