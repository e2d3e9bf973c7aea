import { describe, expect, it } from "vitest";
import { Request } from "../../../../src/core/request/request.js";
import { requestSpec } from "../../../../src/core/request/requestSpec.js";
import { FcfsQueue, UrgencyQueue, type WaitingQueue } from "../../../../src/core/scheduler/waitingQueue.js";

function request(id: string, arrivalSequence: number, priority = 0): Request {
  const promptSegments = [{ contentId: 0, numTokens: 1 }];
  return new Request(
    requestSpec({ id, arrivalUs: 0, promptSegments, maxTokens: 1, outputContentId: 1, priority }),
    arrivalSequence,
  );
}

function drain(queue: WaitingQueue): string {
  const listed = queue.toArray().map(({ id }) => id);
  const ids: string[] = [];
  while (queue.length > 0) {
    expect(queue.front()?.id).toBe(listed[ids.length]);
    ids.push(queue.popFront()!.id);
  }
  expect(queue.front()).toBeUndefined();
  return ids.join("");
}

describe("FcfsQueue", () => {
  it("puts arrivals last and returners first", () => {
    const queue = new FcfsQueue();
    queue.add(request("a", 0));
    queue.add(request("b", 1));
    queue.putBack(request("c", 2));
    queue.putBack(request("d", 3));
    expect(drain(queue)).toBe("dcab");
  });

  it("lets a request leave from the middle, once", () => {
    const queue = new FcfsQueue();
    const leaver = request("b", 1);
    for (const each of [request("a", 0), leaver, request("c", 2)]) queue.add(each);
    expect(queue.remove(leaver)).toBe(true);
    expect(queue.remove(leaver)).toBe(false);
    expect(drain(queue)).toBe("ac");
  });
});

describe("UrgencyQueue", () => {
  it("orders by priority, then arrival, however requests came", () => {
    const queue = new UrgencyQueue();
    queue.add(request("d", 3, 1));
    queue.putBack(request("b", 1, 0));
    queue.add(request("a", 0, 0));
    queue.putBack(request("c", 2, 1));
    queue.add(request("e", 4, -1));
    expect(drain(queue)).toBe("eabcd");
  });

  it("keeps its order when one leaves", () => {
    const queue = new UrgencyQueue();
    const all = [4, 2, 6, 1, 5, 3, 0].map((priority, index) => request(String(priority), index, priority));
    for (const each of all) queue.add(each);
    expect(queue.remove(all[0]!)).toBe(true);
    expect(queue.remove(all[0]!)).toBe(false);
    expect(drain(queue)).toBe("012356");
  });
});
