import { describe, expect, it } from "vitest";
import { bucketLabel, countBucket } from "../../../../src/core/metrics/countBucket.js";

describe("buckets of counts", () => {
  it.each([
    [0, "0"],
    [1, "1"],
    [2, "2–4"],
    [4, "2–4"],
    [5, "5–8"],
    [8, "5–8"],
    [9, "9–16"],
    [1024, "513–1024"],
    [1025, "1025–2048"],
  ])("%i is in %s", (count, label) => {
    expect(bucketLabel(countBucket(count))).toBe(label);
  });

  it("hold every count once, next to each other", () => {
    let last = countBucket(0);
    for (let count = 1; count <= 70_000; count++) {
      const bucket = countBucket(count);
      expect(bucket.from).toBeLessThanOrEqual(count);
      expect(bucket.to).toBeGreaterThanOrEqual(count);
      if (bucket.from !== last.from) expect(bucket.from).toBe(last.to + 1);
      last = bucket;
    }
  });
});
