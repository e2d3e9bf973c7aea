import { describe, expect, it } from "vitest";
import { requestSpec } from "../../src/core/request/requestSpec.js";
import { US_PER_MS } from "../../src/core/units/units.js";
import { workloadFromSpecs } from "../../src/core/workload/specWorkload.js";
import { NO_OVERHEADS, plainServer, SimpleStepModel, serve } from "../unit/core/engine/plainServer.js";
import { readSpecJson } from "./specFile.js";

interface TimingVector {
  readonly params: { readonly t_sched: number; readonly t_gpu: number; readonly t_update: number };
  readonly requests: readonly { readonly id: string; readonly arrive: number; readonly M: number }[];
  readonly sync: Readonly<Record<string, readonly number[]>>;
  readonly async_depth2: Readonly<Record<string, readonly number[]>>;
}

const vectors = readSpecJson("vllm-scheduler/vectors.json") as { readonly timing_ms: TimingVector } | null;

/** ms of a request's token, from a run in which it is the request's last: an earlier one is not kept. */
function tokenMs(vector: TimingVector, asyncScheduling: boolean, id: string, token: number): number {
  const { t_sched, t_gpu, t_update } = vector.params;
  const overheads = { ...NO_OVERHEADS, scheduleUs: t_sched * US_PER_MS, updateUs: t_update * US_PER_MS };
  const server = plainServer({ stepModel: new SimpleStepModel(t_gpu * US_PER_MS), overheads, asyncScheduling });
  const specs = vector.requests.map((request, index) =>
    requestSpec({
      id: request.id,
      arrivalUs: request.arrive * US_PER_MS,
      promptSegments: [{ contentId: 2 * index, numTokens: 5 }],
      maxTokens: request.id === id ? token : request.M,
      outputContentId: 2 * index + 1,
    }),
  );
  const record = serve(server, workloadFromSpecs(specs)).records.find((one) => one.id === id);
  return (record?.lastTokenUs ?? Number.NaN) / US_PER_MS;
}

describe.skipIf(vectors === null)("token times of vLLM's two loops (skipped when ../shared is absent)", () => {
  const vector = vectors?.timing_ms as TimingVector;
  it.each([
    ["one after the other, scheduling in the open", false, vector?.sync],
    ["scheduling hidden behind the step before", true, vector?.async_depth2],
  ] as const)("%s", (_name, asyncScheduling, expected) => {
    const requests = Object.entries(expected);
    expect(requests.length).toBe(2);
    for (const [id, times] of requests) {
      expect(
        times.map((_, index) => tokenMs(vector, asyncScheduling, id, index + 1)),
        id,
      ).toEqual(times);
    }
  });
});
