import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { SubmissionOrder } from "../../../../src/core/engine/submissionOrder.js";
import type { RequestRecord } from "../../../../src/core/metrics/requestRecord.js";
import { requestSpec } from "../../../../src/core/request/requestSpec.js";
import { workloadFromSpecs } from "../../../../src/core/workload/specWorkload.js";
import { simulatedRun } from "../../io/results/simulatedRun.js";
import { plainServer, SimpleStepModel, serveInto } from "./plainServer.js";

const { records, specs } = simulatedRun(60, 1);

describe("the order of submission", () => {
  it("is restored from any order of ends, and no request waits once all before it have ended", () => {
    const permutation = fc.shuffledSubarray(
      records.map((_, i) => i),
      { minLength: records.length },
    );
    fc.assert(
      fc.property(permutation, (ends) => {
        const seen: [RequestRecord, object][] = [];
        const order = new SubmissionOrder({ add: (record, spec) => seen.push([record, spec]) });
        const ended = new Set<number>();
        for (const i of ends) {
          order.end(i, records[i]!, specs[i]!);
          ended.add(i);
          let numReady = 0;
          while (ended.has(numReady)) numReady++;
          expect(seen).toHaveLength(numReady);
        }
        expect(seen).toEqual(records.map((record, i) => [record, specs[i]]));
      }),
      { seed: 20261126, numRuns: 100 },
    );
  });

  it.each([1, 4])("needs no more memory when a run is longer: %i × 3000 requests", (length) => {
    const requests = Array.from({ length: length * 3000 }, (_, i) =>
      requestSpec({
        id: `r${i}`,
        arrivalUs: i * 5000,
        promptSegments: [{ contentId: 2 * i, numTokens: 1 + (i % 7) }],
        maxTokens: 1 + ((i * 37) % 60),
        outputContentId: 2 * i + 1,
      }),
    );
    const workload = workloadFromSpecs(requests);
    const parts = plainServer({ stepModel: new SimpleStepModel(900, 5) });
    let numTaken = 0;
    let numHandedOn = 0;
    let mostKept = 0;
    const counted = {
      peekArrivalUs: () => workload.peekArrivalUs(),
      take() {
        mostKept = Math.max(mostKept, ++numTaken - numHandedOn);
        return workload.take();
      },
      onFinished: () => {},
    };
    serveInto(parts, counted, { add: () => numHandedOn++ });
    expect(numHandedOn).toBe(requests.length);
    // A request takes 60 steps of 1 ms or so, in which a dozen others come.
    expect(mostKept).toBeGreaterThan(5);
    expect(mostKept).toBeLessThan(40);
  });
});
