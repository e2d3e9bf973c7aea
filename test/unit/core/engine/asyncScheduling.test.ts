import { describe, expect, it } from "vitest";
import { engineConfigSchema, samplingConfigSchema } from "../../../../src/core/config/engineConfig.js";
import { createServer } from "../../../../src/core/engine/createServer.js";
import { requestSpec } from "../../../../src/core/request/requestSpec.js";
import { serverOverheads } from "../../../../src/core/stepmodel/serverOverheads.js";
import { workloadFromSpecs } from "../../../../src/core/workload/specWorkload.js";
import { loadDeployment } from "../../../../src/io/loadDeployment.js";
import { NO_OVERHEADS, plainServer, SimpleStepModel, serve } from "./plainServer.js";

function request(index: number, maxTokens: number) {
  return requestSpec({
    id: `r${index}`,
    arrivalUs: 0,
    promptSegments: [{ contentId: 2 * index, numTokens: 10 }],
    maxTokens,
    outputContentId: 2 * index + 1,
  });
}

/** µs between the tokens of a single request on a server with the overheads of a real one. */
function usPerToken(gpuUs: number, asyncScheduling: boolean): number {
  const numTokens = 11;
  const overheads = serverOverheads(asyncScheduling);
  const server = plainServer({ stepModel: new SimpleStepModel(gpuUs), overheads, asyncScheduling });
  const [record] = serve(server, workloadFromSpecs([request(0, numTokens)])).records;
  expect(record).toMatchObject({ status: "completed", numOutputTokens: numTokens });
  return (record!.lastTokenUs - record!.firstTokenUs) / (numTokens - 1);
}

describe("the engine core's part of a step", () => {
  it("shows in the open on a synchronous server: 2 ms behind a GPU step of 10 ms", () => {
    const { scheduleUs, updateUs } = serverOverheads(false);
    expect(scheduleUs + updateUs).toBe(2000);
    expect(usPerToken(10_000, false)).toBe(10_000 + scheduleUs + updateUs);
  });

  it("hides behind the GPU's when scheduling is asynchronous", () => {
    expect(usPerToken(10_000, true)).toBe(10_000);
  });

  it("paces an asynchronous server whose GPU is faster than it", () => {
    const { scheduleUs, updateUs } = serverOverheads(true);
    expect(scheduleUs + updateUs).toBeGreaterThan(1000);
    expect(usPerToken(1000, true)).toBe(scheduleUs + updateUs);
  });

  it("is priced by how the server schedules", () => {
    const deployment = loadDeployment({ model: "Qwen/Qwen3-8B", gpu: "H100" });
    for (const asyncScheduling of [false, true]) {
      const engine = engineConfigSchema.parse({ asyncScheduling });
      const { parts } = createServer(deployment, engine, samplingConfigSchema.parse({}));
      expect(parts.overheads).toEqual(serverOverheads(asyncScheduling));
    }
    expect(serverOverheads(true)).not.toEqual(serverOverheads(false));
  });
});

describe("a queue of steps", () => {
  // Three prompts of one step each. Passes end at 3, 6, … ms and a step takes 1 ms, so the first step is over at 4 ms,
  // while the second is being planned; its token must not wait for a third pass, however much room the queue has.
  it.each([2, 3])("hands out a step that is over before planning another (depth %i)", (queueDepth) => {
    const overheads = { ...NO_OVERHEADS, scheduleUs: 3000 };
    const stepModel = new SimpleStepModel(1000);
    const server = plainServer({ stepModel, overheads, maxNumBatchedTokens: 10, asyncScheduling: true });
    const three = workloadFromSpecs([0, 1, 2].map((index) => request(index, 1)));
    const { records, stats } = serve({ ...server, queueDepth }, three);
    expect(stats.steps).toBe(3);
    expect(records.map(({ firstScheduledUs }) => firstScheduledUs)).toEqual([3000, 6000, 9000]);
    expect(records[0]?.firstTokenUs).toBe(6000);
  });
});
