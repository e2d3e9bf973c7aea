import { existsSync, mkdtempSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { summariseRecords } from "../../../../src/core/metrics/runMetrics.js";
import { writeFileAtomically } from "../../../../src/io/results/atomicFile.js";
import { chromeTraceText } from "../../../../src/io/results/chromeTrace.js";
import { cleanJson } from "../../../../src/io/results/cleanJson.js";
import { REQUEST_COLUMNS } from "../../../../src/io/results/requestTable.js";
import type { TracedStep } from "../../../../src/io/results/stepTraceRecorder.js";
import { writeRunOutputs } from "../../../../src/io/results/writeRunOutputs.js";
import { readTrace } from "../../../../src/io/traces/readTrace.js";
import { simulatedRun } from "./simulatedRun.js";

function step(i: number): TracedStep {
  const startUs = i * 10_000;
  return {
    startUs,
    endUs: startUs + 9_000,
    numTokens: 5,
    numPrefillTokens: i % 3,
    numDecodes: 4,
    numRequests: 5,
    numRunning: 5,
    numWaiting: 1,
    kvUsageFraction: 0.25,
  };
}

function writeAll(numRequests: number, seed: number): string {
  const folder = join(mkdtempSync(join(tmpdir(), "outputs-")), "made", "on", "demand");
  const run = simulatedRun(numRequests, seed);
  writeRunOutputs(folder, {
    ...run,
    summary: { version: "0.1.0", ...summariseRecords(run.records) },
    steps: { steps: Array.from({ length: 20 }, (_, i) => step(i)), stride: 1 },
    seed,
    run: "test",
    strategy: { kind: "constant", requestsPerS: 20, streams: null, maxConcurrency: null },
    guidellmArgs: {},
  });
  return folder;
}

describe("writeRunOutputs", () => {
  it("writes five files, nothing temporary, and the same bytes again", () => {
    const [first, second] = [writeAll(50, 4), writeAll(50, 4)];
    const names = ["guidellm.json", "requests.csv", "requests.jsonl", "summary.json", "trace.json"];
    expect(readdirSync(first).sort()).toEqual(names);
    for (const name of names) expect(readFileSync(join(first, name))).toEqual(readFileSync(join(second, name)));
  });

  it.each(["requests.csv", "requests.jsonl"])(
    "writes %s so that it reads back as the requests of the run",
    async (name) => {
      const { specs } = simulatedRun(60, 9);
      const read = (await readTrace(join(writeAll(60, 9), name))).specs;
      expect(read).toHaveLength(60);
      const shape = (spec: (typeof specs)[number]) => ({ ...spec, promptSegments: null, outputContentId: null });
      expect(read.map(shape)).toEqual(specs.map(shape));
      // Contents may be renumbered; which of them are equal must survive.
      const sharing = (list: readonly (typeof specs)[number][]) => {
        const seen = new Map<number, number>();
        return list.map((spec) =>
          spec.promptSegments.map(({ contentId, numTokens }) => {
            if (!seen.has(contentId)) seen.set(contentId, seen.size);
            return [seen.get(contentId), numTokens];
          }),
        );
      };
      expect(sharing(read)).toEqual(sharing(specs));
    },
  );

  it("numbers contents as they first appear, so that a replay of the file numbers them alike", () => {
    const rows = readFileSync(join(writeAll(20, 4), "requests.jsonl"), "utf8")
      .trimEnd()
      .split("\n")
      .map((line) => JSON.parse(line));
    const ids = rows.flatMap(({ prompt_segments: segments, output_content: output }) => [
      ...(segments as string).split(" ").map((pair) => Number(pair.split(":")[0])),
      output as number,
    ]);
    const seen = [...new Set(ids)];
    expect(seen).toEqual(seen.map((_, i) => i));
  });

  it("prints what happened in units, without float noise, and nothing where nothing happened", () => {
    const folder = writeAll(60, 9);
    const [header, ...lines] = readFileSync(join(folder, "requests.csv"), "utf8").trimEnd().split("\n");
    expect(header).toBe(REQUEST_COLUMNS.join(","));
    expect(lines).toHaveLength(60);
    const text = lines.join("\n");
    expect(text).not.toMatch(/NaN|Infinity|null|\d\.\d{13}/);
    const rows = readFileSync(join(folder, "requests.jsonl"), "utf8")
      .trimEnd()
      .split("\n")
      .map((line) => JSON.parse(line));
    const { records } = simulatedRun(60, 9);
    records.forEach((record, i) => {
      expect(rows[i].status).toBe(record.status);
      if (record.status === "rejected") expect([rows[i].ttft_ms, rows[i].first_token_s]).toEqual([null, null]);
      else expect(rows[i].ttft_ms).toBeCloseTo((record.firstTokenUs - record.arrivalUs) / 1000, 9);
    });
    expect(readFileSync(join(folder, "summary.json"), "utf8")).not.toMatch(/NaN|\d\.\d{14}/);
  });

  it("leaves an existing file as it was when writing fails, and no temporary one", () => {
    const folder = mkdtempSync(join(tmpdir(), "outputs-"));
    const file = join(folder, "kept.txt");
    writeFileSync(file, "old");
    function* failing(): Generator<string> {
      yield "new";
      throw new Error("out of ideas");
    }
    expect(() => writeFileAtomically(file, failing())).toThrowError("out of ideas");
    expect(readFileSync(file, "utf8")).toBe("old");
    expect(existsSync(`${file}.${process.pid}.tmp`)).toBe(false);
  });

  it("names a folder that cannot be written", () => {
    const file = join(mkdtempSync(join(tmpdir(), "outputs-")), "file");
    writeFileSync(file, "");
    expect(() => writeFileAtomically(join(file, "inside.txt"), ["x"])).toThrowError(/inside\.txt: cannot be written/);
  });
});

describe("chromeTraceText", () => {
  const trace = (numRequests: number, numSteps: number) => {
    const { records } = simulatedRun(numRequests, 2);
    const steps = Array.from({ length: numSteps }, (_, i) => step(i));
    return JSON.parse([...chromeTraceText({ records, steps, stepStride: 1 })].join(""));
  };

  it("holds one slice per step and a balanced pair per phase, in order of time", () => {
    const { traceEvents } = trace(40, 30);
    const phases = (ph: string) => traceEvents.filter((event: { ph: string }) => event.ph === ph);
    expect(phases("X")).toHaveLength(30);
    expect(phases("b")).toHaveLength(phases("e").length);
    expect(phases("C")).toHaveLength(90);
    const times = traceEvents.map((event: { ts?: number }) => event.ts ?? 0);
    expect(times).toEqual([...times].sort((a, b) => a - b));
    expect(phases("X")[0]).toMatchObject({ ts: 0, dur: 9000 });
  });

  it("stays below 200,000 events and says what it left out", () => {
    const { traceEvents, otherData } = trace(30_000, 60_000);
    expect(traceEvents.length).toBeLessThanOrEqual(200_003);
    expect(otherData).toEqual({ stepsPerStepShown: 3, requestsPerRequestShown: 3 });
  });
});

describe("cleanJson", () => {
  it("drops float noise, keeps integers and key order, and has no NaN", () => {
    expect(cleanJson({ b: 0.1 + 0.2, a: 9007199254740991, c: [Number.NaN, 1 / 0] }, 0)).toBe(
      '{"b":0.3,"a":9007199254740991,"c":[null,null]}',
    );
  });
});
