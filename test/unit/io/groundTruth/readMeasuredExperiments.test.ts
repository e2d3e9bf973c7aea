import { cpSync, mkdirSync, mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import {
  readMeasuredExperiments,
  recogniseGroundTruth,
} from "../../../../src/io/groundTruth/readMeasuredExperiments.js";
import { groundTruthFolder, realRun } from "../groundTruthFolder.js";
import { reportOf04 } from "../guidellm/guidellmFixtures.js";
import { experimentFolder } from "../inferencePerf/inferencePerfFolder.js";

const COMBINED = {
  schema: "roofserve.ground-truth/1",
  experiments: [
    {
      name: "mine",
      model: "a/b",
      gpu: "L40S",
      vllmVersion: "0.15.1",
      sampling: { topP: 0.9 },
      requests: [
        { arrivalS: 1.5, promptTokens: 30, outputTokens: 5, promptId: "p", ttftMs: 20, e2eMs: 60, status: "completed" },
        { arrivalS: 0, promptTokens: 30, outputTokens: 5, promptId: "p", ttftMs: 10, e2eMs: 50 },
        { arrivalS: 2, promptTokens: 40, outputTokens: 1, status: "failed" },
      ],
    },
  ],
};

function emptyFolder(): string {
  return mkdtempSync(join(tmpdir(), "ground-truth-"));
}

function combinedFile(change: (data: ReturnType<typeof JSON.parse>) => void = () => {}): string {
  const data = structuredClone(COMBINED);
  change(data);
  const file = join(emptyFolder(), "mine.json");
  writeFileSync(file, JSON.stringify(data));
  return file;
}

describe("the combined ground-truth file", () => {
  it("becomes experiments, sorted by arrival, with shared prompts and the measured numbers", () => {
    const [experiment] = readMeasuredExperiments(combinedFile());
    expect(experiment).toMatchObject({
      name: "mine",
      gpu: "L40S",
      tensorParallelSize: 1,
      client: "roofserve",
      sampling: { topP: 0.9, topK: null, temperature: null },
      engine: { vllmVersion: "0.15.1", maxNumSeqs: null },
    });
    const run = experiment?.runs[0];
    expect(run?.specs.map((spec) => [spec.id, spec.arrivalUs])).toEqual([
      ["0", 0],
      ["1", 1.5e6],
      ["2", 2e6],
    ]);
    expect(run?.specs[0]?.promptSegments).toEqual(run?.specs[1]?.promptSegments);
    expect(run?.measured[0]).toEqual({ ttftMs: 10, e2eMs: 50, itlMs: 10, failed: false });
    expect(run?.measured[2]).toMatchObject({ failed: true, itlMs: Number.NaN });
    expect(run?.excluded).toMatch(/^33 % of requests failed/);
    expect(run?.outputTokensPerS).toBeCloseTo(10 / 1.56, 9);
  });

  const broken: [string, (data: ReturnType<typeof JSON.parse>) => void, RegExp][] = [
    [
      "a misspelt key",
      (d) => {
        d.experiments[0].requests[0].promptToken = 3;
      },
      /promptToken/,
    ],
    [
      "no model",
      (d) => {
        delete d.experiments[0].model;
      },
      /experiments\[0\]\.model/,
    ],
    [
      "no requests",
      (d) => {
        d.experiments[0].requests = [];
      },
      /at least one request/,
    ],
    [
      "a negative arrival",
      (d) => {
        d.experiments[0].requests[0].arrivalS = -1;
      },
      /requests\[0\]\.arrivalS: got -1/,
    ],
    [
      "zero output tokens",
      (d) => {
        d.experiments[0].requests[0].outputTokens = 0;
      },
      /requests\[0\]\.outputTokens: got 0/,
    ],
    [
      "an unknown status",
      (d) => {
        d.experiments[0].requests[0].status = "ok";
      },
      /requests\[0\]\.status: got "ok"/,
    ],
    [
      "another schema",
      (d) => {
        d.schema = "roofserve.ground-truth/9";
      },
      /column schema: got "roofserve\.ground-truth\/9"/,
    ],
  ];

  it.each(broken)("with %s is refused by place", (_name, change, expected) => {
    expect(() => readMeasuredExperiments(combinedFile(change))).toThrowError(expected);
  });
});

describe("recogniseGroundTruth", () => {
  it("tells the kinds apart", () => {
    const folder = emptyFolder();
    expect(recogniseGroundTruth(folder)).toBeNull();
    expect(recogniseGroundTruth(join(folder, "absent"))).toBeNull();
    expect(recogniseGroundTruth(combinedFile())?.kind).toBe("ground-truth");
    const experiment = experimentFolder();
    expect(recogniseGroundTruth(experiment)).toEqual({ kind: "inference-perf", path: experiment });
    expect(recogniseGroundTruth(join(experiment, "replay.json"))).toEqual({ kind: "inference-perf", path: experiment });
    writeFileSync(join(folder, "benchmarks.json"), JSON.stringify(reportOf04()));
    expect(recogniseGroundTruth(folder)?.kind).toBe("guidellm");
    expect(recogniseGroundTruth(join(folder, "benchmarks.json"))?.kind).toBe("guidellm");
    writeFileSync(join(folder, "notes.json"), "{}");
    expect(recogniseGroundTruth(join(folder, "notes.json"))).toBeNull();
  });
});

describe("readMeasuredExperiments", () => {
  it("finds every experiment below a folder, by name", () => {
    const folder = emptyFolder();
    mkdirSync(join(folder, "deep", "er"), { recursive: true });
    cpSync(experimentFolder(), join(folder, "deep", "er", "b"), { recursive: true });
    cpSync(combinedFile(), join(folder, "a.json"));
    expect(readMeasuredExperiments(folder).map(({ name }) => name)).toEqual(["mine", "small"]);
  });

  it("says what it looked for when there is nothing", () => {
    expect(() => readMeasuredExperiments(emptyFolder())).toThrowError(
      /holds no measurements; expected an inference-perf folder/,
    );
    expect(() => readMeasuredExperiments("/no/such/place")).toThrowError(/\/no\/such\/place: no such file or folder/);
  });

  it.skipIf(groundTruthFolder === null)("reads all real runs at once", () => {
    const experiments = readMeasuredExperiments(realRun());
    expect(experiments.map(({ client }) => client).sort()).toEqual(["guidellm", ...Array(6).fill("inference-perf")]);
  });
});
