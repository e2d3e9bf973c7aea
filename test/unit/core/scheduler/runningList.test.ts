import { describe, expect, it } from "vitest";
import { Request } from "../../../../src/core/request/request.js";
import { requestSpec } from "../../../../src/core/request/requestSpec.js";
import { RunningList } from "../../../../src/core/scheduler/runningList.js";

function requests(count: number): Request[] {
  return Array.from({ length: count }, (_, i) => {
    const promptSegments = [{ contentId: i, numTokens: 1 }];
    return new Request(
      requestSpec({ id: `r${i}`, arrivalUs: 0, promptSegments, maxTokens: 1, outputContentId: 100 + i }),
      i,
    );
  });
}

describe("RunningList", () => {
  it("keeps the order whoever leaves, and takes back who left", () => {
    const list = new RunningList();
    const [a, b, c, d] = requests(4) as [Request, Request, Request, Request];
    for (const request of [a, b, c, d]) list.push(request);
    list.remove(b);
    expect(list.toArray()).toEqual([a, c, d]);
    list.remove(a);
    list.remove(d);
    expect([list.first, list.last, list.length]).toEqual([c, c, 1]);
    list.push(b);
    expect(list.toArray()).toEqual([c, b]);
    list.remove(c);
    list.remove(b);
    expect([list.first, list.last, list.length]).toEqual([null, null, 0]);
  });
});
