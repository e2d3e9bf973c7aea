import { describe, expect, it } from "vitest";
import { InvariantError } from "../../../../src/core/errors/simulationError.js";
import { type RequestSpec, requestSpec } from "../../../../src/core/request/requestSpec.js";
import { closedLoopWorkload, workloadFromSpecs } from "../../../../src/core/workload/specWorkload.js";
import { NO_OVERHEADS, plainServer, SimpleStepModel, serve, WatchedWorkload } from "./plainServer.js";

let nextContent = 0;

function request(fields: Partial<RequestSpec> & { readonly numTokens?: number }): RequestSpec {
  const { numTokens = 10, ...rest } = fields;
  return requestSpec({
    id: `r${nextContent}`,
    arrivalUs: 0,
    promptSegments: [{ contentId: nextContent++, numTokens }],
    maxTokens: 1,
    outputContentId: nextContent++,
    ...rest,
  });
}

const stepModel = new SimpleStepModel(1000);

describe("the server loop", () => {
  it("does nothing for nothing", () => {
    const { records, stats } = serve(plainServer({ stepModel }), workloadFromSpecs([]));
    expect(records).toEqual([]);
    expect(stats).toMatchObject({ steps: 0, simulatedUs: 0, gpuBusyUs: 0, prefixCacheHitFraction: 0 });
  });

  it("charges each part of the way: front end, schedule, GPU, update, output", () => {
    const overheads = {
      scheduleUs: 100,
      updateUs: 50,
      frontEndUs: 3000,
      frontEndUsPerPromptToken: 2,
      outputUs: 400,
      outputUsPerToken: 7,
    };
    const server = plainServer({ stepModel, overheads });
    const two = [request({ id: "a", numTokens: 10 }), request({ id: "b", numTokens: 10, maxTokens: 2 })];
    const [a, b] = serve(server, workloadFromSpecs(two)).records;
    expect(a).toMatchObject({ arrivalUs: 0, firstScheduledUs: 3020 + 100, queueUs: 100 });
    expect(a?.firstTokenUs).toBe(3020 + 100 + 1000 + 50 + 400 + 7);
    // The second token of the message is handled behind the first.
    expect(b?.firstTokenUs).toBe(a!.firstTokenUs + 7);
    expect(b?.lastTokenUs).toBe(3020 + 2 * (100 + 1000 + 50) + 400 + 7);
  });

  it("streams one message after the other: a token never overtakes the one before it", () => {
    // 100 tokens take 5 ms to send, the step behind them 1 ms.
    const overheads = { ...NO_OVERHEADS, outputUsPerToken: 50 };
    const short = Array.from({ length: 99 }, () => request({ numTokens: 1 }));
    const { records } = serve(
      plainServer({ stepModel, overheads }),
      workloadFromSpecs([...short, request({ id: "long", numTokens: 1, maxTokens: 3 })]),
    );
    expect(records.at(-1)).toMatchObject({ id: "long", firstTokenUs: 6000, lastTokenUs: 6100 });
  });

  it("ends with its last act, not with a timeout that never came", () => {
    const patient = request({ timeoutUs: 3_600_000_000 });
    const { stats, records } = serve(plainServer({ stepModel }), workloadFromSpecs([patient]));
    expect(records[0]?.status).toBe("completed");
    expect(stats.simulatedUs).toBe(1000);
  });

  it("aborts at the client's timeout and gives its blocks to who waits", () => {
    const specs = [
      request({ id: "slow", numTokens: 100, maxTokens: 50, timeoutUs: 5500 }),
      request({ id: "next", arrivalUs: 1, numTokens: 100, maxTokens: 2 }),
    ];
    // 10 usable blocks of 16: one request at a time.
    const server = plainServer({ stepModel, numGpuBlocks: 11 });
    const { records } = serve(server, workloadFromSpecs(specs));
    expect(records[0]).toMatchObject({ status: "aborted", reason: "the client gave up", numOutputTokens: 5 });
    // The step that was running when the client left is finished first.
    expect(records[1]).toMatchObject({ status: "completed", firstScheduledUs: 6000, lastTokenUs: 8000 });
  });

  it("aborts a request that is still on its way in, and frees its place in the closed loop", () => {
    const overheads = { ...NO_OVERHEADS, frontEndUs: 10_000 };
    const specs = [request({ id: "hasty", timeoutUs: 500 }), request({ id: "next" })];
    const { records } = serve(plainServer({ stepModel, overheads }), closedLoopWorkload(specs, 1));
    expect(records[0]).toMatchObject({ status: "aborted", firstScheduledUs: Number.NaN, queueUs: Number.NaN });
    expect(records[1]).toMatchObject({ status: "completed", arrivalUs: 500, lastTokenUs: 11_500 });
  });

  it("counts a last token that arrives after the timeout as aborted, one at the timeout as seen", () => {
    const overheads = { ...NO_OVERHEADS, outputUs: 200 };
    const statusAt = (timeoutUs: number) =>
      serve(plainServer({ stepModel, overheads }), workloadFromSpecs([request({ timeoutUs })])).records[0]?.status;
    expect(statusAt(1199)).toBe("aborted");
    expect(statusAt(1200)).toBe("completed");
  });

  it("rejects what can never run, says why, and goes on", () => {
    const specs = [request({ id: "huge", numTokens: 4096 }), request({ id: "fine" })];
    const { records, stats } = serve(plainServer({ stepModel }), workloadFromSpecs(specs));
    expect(records[0]?.status).toBe("rejected");
    expect(records[0]?.reason).toContain("maxModelLen 4096");
    expect(records[1]?.status).toBe("completed");
    expect(stats.steps).toBe(1);
  });

  it("lets a closed loop's client send again the moment it has seen the end, not when the server has", () => {
    const overheads = { ...NO_OVERHEADS, outputUs: 300 };
    const watched = new WatchedWorkload(closedLoopWorkload([request({}), request({}), request({})], 1));
    const { records } = serve(plainServer({ stepModel, overheads }), watched);
    expect(watched.arrivalsUs).toEqual([0, 1300, 2600]);
    expect(records.map(({ lastTokenUs }) => lastTokenUs)).toEqual([1300, 2600, 3900]);
  });

  it("counts the prefix cache in prompt tokens at first admission", () => {
    const shared = [{ contentId: 7, numTokens: 64 }];
    const specs = [0, 5000].map((arrivalUs, i) =>
      request({ id: `s${i}`, arrivalUs, promptSegments: [...shared, { contentId: 100 + i, numTokens: 16 }] }),
    );
    const server = plainServer({ stepModel, enablePrefixCaching: true });
    const { records, stats } = serve(server, workloadFromSpecs(specs));
    expect(records.map(({ numCachedTokens }) => numCachedTokens)).toEqual([0, 64]);
    expect(stats.prefixCacheHitFraction).toBe(64 / 160);
  });

  it("says so when its scheduler is stuck: a bug, not a hang", () => {
    const impossible = request({ numTokens: 2000, maxTokens: 10 });
    const tiny = plainServer({ stepModel, numGpuBlocks: 3 });
    tiny.scheduler.rejectionReason = () => null;
    expect(() => serve(tiny, workloadFromSpecs([impossible]))).toThrow(InvariantError);
  });
});
