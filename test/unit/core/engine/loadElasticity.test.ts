import { describe, expect, it } from "vitest";
import type { ScheduledBatch } from "../../../../src/core/batch/scheduledBatch.js";
import { engineConfigSchema, samplingConfigSchema } from "../../../../src/core/config/engineConfig.js";
import { createServer, type Server } from "../../../../src/core/engine/createServer.js";
import { loadElasticity } from "../../../../src/core/engine/loadElasticity.js";
import { RecordColumns } from "../../../../src/core/metrics/recordColumns.js";
import type { RequestRecord } from "../../../../src/core/metrics/requestRecord.js";
import type { StepModel } from "../../../../src/core/stepmodel/stepModel.js";
import { loadDeployment } from "../../../../src/io/loadDeployment.js";

const S = 1_000_000;
const OUTPUT_TOKENS = 50;
const deployment = loadDeployment({ model: "meta-llama/Llama-3.1-8B", gpu: "H100" });

/** A server whose steps cost what a function says, and how many of them were priced. */
function pricedBy(
  stepUs: (batch: ScheduledBatch) => number,
  engine: object,
): { server: Server; numPriced: () => number } {
  let numPriced = 0;
  const real = createServer(
    deployment,
    engineConfigSchema.parse({ maxModelLen: 131_072, ...engine }),
    samplingConfigSchema.parse({}),
  );
  const stepModel: StepModel = {
    pricesLockstep: false,
    componentNames: ["step"],
    componentCategories: ["wait"],
    gpuUs: stepUs,
    breakdown(batch) {
      numPriced++;
      const waits = [{ name: "step", us: stepUs(batch), count: 1 }];
      return { numTokens: batch.numTokens, paddedTokens: batch.numTokens, components: [], waits };
    },
  };
  return { server: { ...real, stepModel }, numPriced: () => numPriced };
}

/** Requests that are all served from 0 to 1 s. */
function served(count: number, numPromptTokens: number): RecordColumns {
  const records = Array.from(
    { length: count },
    (_, i): RequestRecord => ({
      id: `r${i}`,
      sessionId: null,
      status: "completed",
      reason: null,
      arrivalUs: 0,
      firstScheduledUs: 0,
      firstTokenUs: S / 10,
      lastTokenUs: S,
      queueUs: 0,
      numPromptTokens,
      numCachedTokens: 0,
      numOutputTokens: OUTPUT_TOKENS,
      numPreemptions: 0,
    }),
  );
  return RecordColumns.of(records);
}

describe("the load elasticity of a run", () => {
  it("is the share of the mean step that its requests' tokens cost", () => {
    const { server } = pricedBy(({ numTokens }) => 20_000 + 100 * numTokens, { maxNumSeqs: 64 });
    // 10 decodes, and 10/50 of a prompt of 400 tokens.
    const tokensUs = 100 * (10 + (10 / OUTPUT_TOKENS) * 400);
    expect(loadElasticity(server, served(10, 400), S)).toBeCloseTo(tokensUs / (20_000 + tokensUs), 9);
  });

  it("lies between 0 and 1 where larger batches are cheaper, and where more run than the server has room for", () => {
    const falling = pricedBy(({ numRequests }) => 50_000 - 100 * numRequests, { maxNumSeqs: 64 });
    expect(loadElasticity(falling.server, served(40, 1), S)).toBe(0);
    const crowded = pricedBy(({ numRequests }) => 20_000 * numRequests, { maxNumSeqs: 4 });
    expect(loadElasticity(crowded.server, served(16, 1), S)).toBe(1);
  });

  it("prices few chunks of a prompt that decodes leave one token per step, and says the same", () => {
    const stepUs = (batch: ScheduledBatch) => {
      let chunkUs = 0;
      for (let row = 0; row < batch.numRequests; row++) {
        if (batch.isDecode[row] === 0) chunkUs += batch.numContextTokens[row]! / 100;
      }
      return 20_000 + 100 * batch.numTokens + chunkUs;
    };
    const { server, numPriced } = pricedBy(stepUs, { maxNumSeqs: 16, maxNumBatchedTokens: 16 });
    const numPromptTokens = 5000;
    const elasticity = loadElasticity(server, served(16, numPromptTokens), S);
    expect(numPriced()).toBeLessThan(50);
    // Each token of the prompt rides in the place of a 16th decode, behind 0, 1, 2 … tokens.
    const prefillUs = (numPromptTokens * (numPromptTokens - 1)) / 2 / 100;
    const sharedUs = (16 / OUTPUT_TOKENS) * prefillUs;
    const expected = (16 * 100 + sharedUs) / (20_000 + 16 * 100 + sharedUs);
    expect(elasticity).toBeCloseTo(expected, 4);
    expect(expected).toBeLessThan(0.99);
  });

  it("is 0 when nothing was served", () => {
    const { server } = pricedBy(() => 1000, {});
    expect(loadElasticity(server, new RecordColumns(), S)).toBe(0);
    expect(loadElasticity(server, served(1, 1), 0)).toBe(0);
  });
});
