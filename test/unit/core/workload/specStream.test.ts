import { describe, expect, it } from "vitest";
import { parseConfig } from "../../../../src/core/config/parseConfig.js";
import { type RequestSpec, requestSpec } from "../../../../src/core/request/requestSpec.js";
import { createWorkload } from "../../../../src/core/workload/createWorkload.js";
import { workloadConfigSchema } from "../../../../src/core/workload/workloadConfig.js";
import { serve } from "../../../reference/instantServer.js";

const specs = Array.from({ length: 30 }, (_, i) =>
  requestSpec({
    id: `r${i}`,
    arrivalUs: Math.floor(i / 3) * 250_000,
    promptSegments: [{ contentId: i, numTokens: 5 + i }],
    maxTokens: 1 + (i % 4),
    outputContentId: 100 + i,
  }),
);

/** The list as a stream that tells how often it was opened and closed before its end. */
function stream() {
  const seen = { numOpened: 0, numClosed: 0 };
  function* open(): Generator<RequestSpec> {
    seen.numOpened++;
    let isWhole = false;
    try {
      yield* specs;
      isWhole = true;
    } finally {
      if (!isWhole) seen.numClosed++;
    }
  }
  return { seen, specs: { length: specs.length, open } };
}

describe("a stream of requests", () => {
  it.each([
    { profile: { kind: "trace" } },
    { profile: { kind: "trace", timeScale: 0.3 }, timeoutS: 2 },
    { profile: { kind: "trace" }, maxRequests: 7 },
    { profile: { kind: "trace" }, maxSeconds: 1, atMaxSeconds: "drain" },
    { profile: { kind: "gamma", rate: 5 } },
    { profile: { kind: "concurrent", streams: 4 } },
    { profile: { kind: "throughput", maxConcurrency: 3 }, maxRequests: 11 },
  ])("sends what the list sends: %j", (fields) => {
    const config = parseConfig(workloadConfigSchema, { data: { kind: "trace", path: "t" }, ...fields }, "workload");
    const streamed = stream();
    const sent = (of: typeof specs | typeof streamed.specs) =>
      serve(createWorkload(config, 1, { specs: of }), () => 40_000).specs;
    expect(sent(streamed.specs)).toEqual(sent(specs));
    expect(streamed.seen.numOpened).toBe(1);
  });

  it("is closed when a limit ends the replay before it", () => {
    for (const limit of [{ maxRequests: 7 }, { maxSeconds: 1 }]) {
      const fields = { profile: { kind: "trace" }, data: { kind: "trace", path: "t" }, ...limit };
      const streamed = stream();
      const config = parseConfig(workloadConfigSchema, fields, "workload");
      serve(createWorkload(config, 1, { specs: streamed.specs }), () => 40_000);
      expect(streamed.seen).toEqual({ numOpened: 1, numClosed: 1 });
    }
  });
});
