import { describe, expect, it } from "vitest";
import { GiveUps } from "../../../../src/core/engine/giveUps.js";
import { Request } from "../../../../src/core/request/request.js";
import { requestSpec } from "../../../../src/core/request/requestSpec.js";

function patientRequest(sequence: number, timeoutUs: number): Request {
  const promptSegments = [{ contentId: 0, numTokens: 1 }];
  const id = `r${sequence}`;
  return new Request(
    requestSpec({ id, arrivalUs: sequence, promptSegments, maxTokens: 1, outputContentId: 1, timeoutUs }),
    sequence,
  );
}

describe("clients' patience", () => {
  it("comes to its end in the order of time, and of sending at the same time", () => {
    const giveUps = new GiveUps();
    const requests = [30, 9, 28, Number.POSITIVE_INFINITY, 26].map((timeoutUs, i) => patientRequest(i, timeoutUs));
    for (const request of requests) giveUps.add(request);
    expect(giveUps.peekTimeUs()).toBe(10);
    expect([giveUps.pop(), giveUps.pop(), giveUps.pop(), giveUps.pop()].map(({ id }) => id)).toEqual([
      "r1",
      "r0",
      "r2",
      "r4",
    ]);
    expect(giveUps.peekTimeUs()).toBe(Number.POSITIVE_INFINITY);
  });

  it("is forgotten for requests that have ended, and for no other", () => {
    const giveUps = new GiveUps();
    const requests = Array.from({ length: 4000 }, (_, i) => patientRequest(i, 1e9));
    const waiting = new Set<string>();
    for (const [i, request] of requests.entries()) {
      giveUps.add(request);
      if (i % 100 === 0) waiting.add(request.id);
      else {
        request.hasEnded = true;
        giveUps.onEnd(request);
      }
      expect(giveUps.length).toBeLessThan(2 * waiting.size + 20);
    }
    giveUps.dropEndedFirst();
    const left: string[] = [];
    while (Number.isFinite(giveUps.peekTimeUs())) {
      const request = giveUps.pop();
      if (!request.hasEnded) left.push(request.id);
    }
    expect(left).toEqual([...waiting]);
  });
});
