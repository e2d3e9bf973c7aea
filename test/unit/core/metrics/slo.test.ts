import { describe, expect, it } from "vitest";
import { ConfigError } from "../../../../src/core/errors/simulationError.js";
import { DEFAULT_GOODPUT_FRACTION, parseSlo, sloName } from "../../../../src/core/metrics/slo.js";

describe("parseSlo", () => {
  it("reads limits on statistics, in any spacing, ms where no unit stands", () => {
    expect(parseSlo("p99 ttft<=500ms, p95 itl <= 40,MEAN E2EL<2.5s,median queue<=1")).toEqual({
      limits: [
        { latency: "ttftMs", statistic: "p99", limitMs: 500 },
        { latency: "itlMs", statistic: "p95", limitMs: 40 },
        { latency: "e2eMs", statistic: "mean", limitMs: 2500 },
        { latency: "queueMs", statistic: "p50", limitMs: 1 },
      ],
      goodputFraction: null,
    });
  });

  it("reads limits on each request, in vLLM's spelling too, with the goodput that is asked for", () => {
    const limits = [
      { latency: "ttftMs", statistic: null, limitMs: 300 },
      { latency: "tpotMs", statistic: null, limitMs: 30 },
    ];
    expect(parseSlo("ttft:300,tpot:30")).toEqual({ limits, goodputFraction: DEFAULT_GOODPUT_FRACTION });
    expect(parseSlo("goodput>=99.5%, ttft<=300ms, tpot<=30ms")).toEqual({ limits, goodputFraction: 0.995 });
    expect(parseSlo("ttft<=300ms,tpot<=30ms,goodput >= .95").goodputFraction).toBe(0.95);
  });

  it("reads limits on single gaps over the run, and no other", () => {
    const gap = { latency: "gapMs", statistic: "p99", limitMs: 100 };
    expect(parseSlo("p99 gap<=100ms")).toEqual({ limits: [gap], goodputFraction: null });
    expect(() => parseSlo("gap<=100ms")).toThrow(/^--slo: got "gap<=100ms"; must be over the run, as p99 gap<=100ms/);
  });

  it.each([
    "",
    "fast",
    "p99 ttft",
    "p98 ttft<=500ms",
    "p99 ttft>=500ms",
    "p99 ttft<=0",
    "p99 ttft<=5 h",
    "p99 ttft<=500ms,",
    "goodput>=90%",
    "p99 ttft<=500ms, goodput>=90%",
    "ttft<=500ms, goodput>=0",
    "ttft<=500ms, goodput>=101%",
    "ttft<=500ms, goodput>=90%, goodput>=95%",
  ])("refuses %j with what would do", (text) => {
    expect(() => parseSlo(text)).toThrow(ConfigError);
    expect(() => parseSlo(text)).toThrow(/^--slo: got .+; .+/);
  });

  it.each([
    ["p99 tft<=500ms", "p99 ttft<=500ms"],
    ["p95 it1<=40ms", "p95 itl<=40ms"],
    ["p98 ttft<=500ms", "p99 ttft<=500ms"],
    ["p96 ttft<=500ms", "p95 ttft<=500ms"],
    ["maen e2e<2s", "mean e2e<=2s"],
    ["p99 ttft>=500ms", "p99 ttft<=500ms"],
    ["p99-ttft=500", "p99 ttft<=500"],
    ["tpto<=30 msec", "tpot<=30ms"],
  ])("says of %j what is near", (text, near) => {
    expect(() => parseSlo(text)).toThrow(`${JSON.stringify(text)} (did you mean ${near}?); must be limits`);
  });

  it.each(["fast", "p99 ttft<=0", "latency<=3", "p99"])("suggests nothing for %j, which is near nothing", (text) => {
    expect(() => parseSlo(text)).toThrow(`got ${JSON.stringify(text)}; must be`);
  });

  it("names every part that is wrong", () => {
    expect(() => parseSlo("p99 ttft<=500ms, p42 itl<=3, quick")).toThrow(
      /"p42 itl<=3" \(did you mean p50 itl<=3\?\), "quick"/,
    );
  });
});

describe("sloName", () => {
  it("says a limit as people do", () => {
    expect(parseSlo("p99 ttft<=1, e2e<=2, p95 gap<=3").limits.map(sloName)).toEqual([
      "p99 TTFT",
      "E2E of a request",
      "p95 gap",
    ]);
  });
});
