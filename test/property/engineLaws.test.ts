import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { RequestRecord } from "../../src/core/metrics/requestRecord.js";
import type { RequestSpec } from "../../src/core/request/requestSpec.js";
import type { ServerOverheads } from "../../src/core/stepmodel/serverOverheads.js";
import { NO_OVERHEADS } from "../unit/core/engine/plainServer.js";
import { type EngineRun, engineRun, requestsOf, type WatchedRun, watch } from "./engineRuns.js";

const SETTINGS = { seed: 20260221, numRuns: 600 };

/** Checks a law on random runs. */
function always(law: (watched: WatchedRun, run: EngineRun) => void): void {
  fc.assert(
    fc.property(engineRun, (run) => law(watch(run), run)),
    SETTINGS,
  );
}

/** When each request reaches the engine core: its way in takes as long as its prompt, and nobody overtakes. */
function queuedTimesUs(specs: readonly RequestSpec[], overheads: ServerOverheads): number[] {
  let lastUs = 0;
  return specs.map(({ arrivalUs, numPromptTokens }) => {
    const { frontEndUs, frontEndUsPerPromptToken } = overheads;
    lastUs = Math.max(lastUs, arrivalUs + frontEndUs + frontEndUsPerPromptToken * numPromptTokens);
    return lastUs;
  });
}

const count = (records: readonly RequestRecord[], status: RequestRecord["status"]): number =>
  records.filter((record) => record.status === status).length;

describe("requests, on any server under any load", () => {
  it("are conserved: each has one record and ends once, in one way", () => {
    always(({ records, specs, workload }, run) => {
      const ids = requestsOf(run).map(({ id }) => id);
      expect(records.map(({ id }) => id).sort()).toEqual([...ids].sort());
      expect(specs.map(({ id }) => id)).toEqual(records.map(({ id }) => id));
      expect(count(records, "completed") + count(records, "rejected") + count(records, "aborted")).toBe(ids.length);
      expect(workload.inFlight.size).toBe(0);
      for (const id of ids) expect(workload.numEnds.get(id), id).toBe(1);
    });
  });

  it("arrive, are queued, scheduled, and get their first and last token in this order", () => {
    always(({ records }) => {
      for (const { status, arrivalUs, firstScheduledUs, firstTokenUs, lastTokenUs, queueUs } of records) {
        const happened = [arrivalUs, firstScheduledUs - queueUs, firstScheduledUs, firstTokenUs, lastTokenUs];
        const known = happened.filter((timeUs) => !Number.isNaN(timeUs));
        expect(known).toEqual([...known].sort((a, b) => a - b));
        for (const timeUs of known) expect(Number.isInteger(timeUs)).toBe(true);
        if (status === "completed") expect(known.length).toBe(5);
        if (status === "rejected") expect(known.length).toBe(1);
      }
    });
  });

  it("get the tokens they asked for, up to max-model-len, and none when refused", () => {
    always(({ records, specs }, { server }) => {
      records.forEach(({ status, numOutputTokens, numPromptTokens, numCachedTokens }, i) => {
        const asked = Math.min(specs[i]!.maxTokens, server.maxModelLen - numPromptTokens);
        if (status === "completed") expect(numOutputTokens).toBe(asked);
        else if (status === "aborted") expect(numOutputTokens).toBeLessThanOrEqual(Math.max(0, asked));
        else expect(numOutputTokens).toBe(0);
        expect(numCachedTokens).toBeLessThan(numPromptTokens);
      });
    });
  });

  it("are refused exactly when their prompt leaves no room for output, or never fits, with a reason", () => {
    always(({ records, specs }, { server }) => {
      records.forEach(({ status, reason, numPromptTokens }, i) => {
        const numTokens = Math.min(numPromptTokens + specs[i]!.maxTokens, server.maxModelLen);
        const neverFits = Math.ceil(numTokens / server.blockSize) > server.numUsableBlocks;
        const isImpossible = numPromptTokens >= server.maxModelLen || neverFits;
        // A client may give up before the server has looked.
        if (status !== "aborted") expect(status === "rejected").toBe(isImpossible);
        expect(reason === null).toBe(status === "completed");
      });
    });
  });

  it("end at their client's timeout at the latest, and are in no step planned after it", () => {
    always(({ records, specs, steps }, { overheads, server }) => {
      records.forEach(({ id, status, lastTokenUs, arrivalUs }, i) => {
        const deadlineUs = arrivalUs + specs[i]!.timeoutUs;
        if (status === "completed") expect(lastTokenUs).toBeLessThanOrEqual(deadlineUs);
        if (status === "aborted") expect(deadlineUs).toBeLessThan(Number.POSITIVE_INFINITY);
        steps.forEach(({ ids, startUs }, step) => {
          if (!ids.includes(id)) return;
          // An asynchronous server plans a step as soon as the one before has begun.
          const plannedUs = server.asyncScheduling ? (steps[step - 1]?.startUs ?? 0) : startUs - overheads.scheduleUs;
          expect(plannedUs).toBeLessThanOrEqual(deadlineUs);
        });
      });
    });
  });

  it("never exceed a closed loop's concurrency, nor arrive out of order", () => {
    always(({ workload }, { concurrency }) => {
      expect(workload.peakInFlight).toBeLessThanOrEqual(concurrency ?? Number.POSITIVE_INFINITY);
      expect(workload.arrivalsUs).toEqual([...workload.arrivalsUs].sort((a, b) => a - b));
    });
  });
});

describe("steps, on any server under any load", () => {
  it("run one at a time, each at least 1 µs and as long as it was priced", () => {
    always(({ steps }, { fixedUs, usPerToken }) => {
      let freeUs = 0;
      for (const { startUs, endUs, numTokens } of steps) {
        expect(startUs).toBeGreaterThanOrEqual(freeUs);
        expect(endUs - startUs).toBe(Math.max(1, Math.round(fixedUs + usPerToken * numTokens)));
        freeUs = endUs;
      }
    });
  });

  it("stay within the token budget, the sequences and the KV cache", () => {
    always(({ steps, stats }, { server }) => {
      for (const { numTokens, numRows, numRunning, usedFraction } of steps) {
        expect(numTokens).toBeLessThanOrEqual(server.maxNumBatchedTokens);
        expect(numRows).toBeLessThanOrEqual(numRunning);
        expect(numRunning).toBeLessThanOrEqual(server.maxNumSeqs);
        expect(usedFraction).toBeLessThanOrEqual(1);
      }
      expect(stats.kvPeakUsedFraction).toBe(Math.max(0, ...steps.map(({ usedFraction }) => usedFraction)));
    });
  });

  it("leave the server empty: all blocks free, nobody waiting", () => {
    always(({ parts }) => {
      const { scheduler } = parts;
      expect(scheduler.hasRequests).toBe(false);
      expect(scheduler.kv.numFreeBlocks).toBe(scheduler.kv.numUsableBlocks);
    });
  });

  it("never wait while a request could run, when scheduling costs nothing", () => {
    const free = engineRun.map((run) => {
      const { frontEndUs, frontEndUsPerPromptToken } = run.overheads;
      return { ...run, overheads: { ...NO_OVERHEADS, frontEndUs, frontEndUsPerPromptToken } };
    });
    fc.assert(
      fc.property(free, (run) => {
        const { records, specs, steps } = watch(run);
        const queuedUs = queuedTimesUs(specs, run.overheads);
        let freeUs = 0;
        for (const { startUs, endUs } of steps) {
          records.forEach(({ firstScheduledUs, queueUs, status, arrivalUs, lastTokenUs }, i) => {
            if (!Number.isNaN(queueUs)) expect(firstScheduledUs - queueUs).toBe(queuedUs[i]);
            if (status === "rejected") return;
            const endedUs = status === "completed" ? lastTokenUs : arrivalUs + specs[i]!.timeoutUs;
            const idleUs = Math.min(startUs, endedUs) - Math.max(freeUs, queuedUs[i]!);
            if (startUs > freeUs) expect(idleUs).toBeLessThanOrEqual(0);
          });
          freeUs = endUs;
        }
      }),
      SETTINGS,
    );
  });

  it("are what the statistics count", () => {
    always(({ steps, stats, records }) => {
      expect(stats.steps).toBe(steps.length);
      expect(stats.gpuBusyUs).toBe(steps.reduce((sum, { startUs, endUs }) => sum + endUs - startUs, 0));
      expect(stats.simulatedUs).toBeGreaterThanOrEqual(steps.at(-1)?.endUs ?? 0);
      expect(stats.gpuBusyUs).toBeLessThanOrEqual(stats.simulatedUs);
      expect(stats.preemptions).toBe(records.reduce((sum, { numPreemptions }) => sum + numPreemptions, 0));
      const shares = Object.values(stats.componentShares).reduce((sum, share) => sum + share, 0);
      expect(shares).toBeCloseTo(steps.length === 0 ? 0 : 1, 9);
    });
  });
});

describe("runs", () => {
  it("are the same to the last byte when repeated", () => {
    const bytes = ({ records, specs, stats, steps }: WatchedRun) => JSON.stringify({ records, specs, stats, steps });
    always((watched, run) => {
      expect(bytes(watch(run))).toBe(bytes(watched));
    });
  });

  it("meet preemption, cache hits, refusals and timeouts here, so that the laws are not empty", () => {
    const records = fc.sample(engineRun, { ...SETTINGS }).flatMap((run) => [...watch(run).records]);
    expect(count(records, "completed")).toBeGreaterThan(2000);
    expect(count(records, "rejected")).toBeGreaterThan(500);
    expect(count(records, "aborted")).toBeGreaterThan(500);
    expect(records.filter(({ numPreemptions }) => numPreemptions > 0).length).toBeGreaterThan(50);
    expect(records.filter(({ numCachedTokens }) => numCachedTokens > 0).length).toBeGreaterThan(300);
  });
});
