import { describe, expect, it } from "vitest";
import { parseConfig } from "../../src/core/config/parseConfig.js";
import { runConfigSchema } from "../../src/core/engine/runConfig.js";
import { simulateRequests, simulateStreaming } from "../../src/core/engine/simulate.js";
import { withClientResidual } from "../../src/core/metrics/clientResidual.js";
import type { RequestRecord } from "../../src/core/metrics/requestRecord.js";
import { completedColumn, e2eMs, interTokenMs, ttftMs } from "../../src/core/metrics/runMetrics.js";
import { createWorkload } from "../../src/core/workload/createWorkload.js";
import { loadDeployment } from "../../src/io/loadDeployment.js";
import { plainIsClosedLoop, plainQueueGrowth, plainSummary } from "../reference/plainSummary.js";

const lengths = {
  kind: "lengths",
  prompt: { kind: "lognormal", mean: 300, cv: 1, max: 3000 },
  output: { kind: "lognormal", mean: 40, cv: 1, max: 300 },
};
const session = {
  turns: { kind: "uniform", min: 1, max: 4 },
  think: { kind: "exponential", meanS: 1 },
  followUpPrompt: null,
};
const residual = { usPerOutputToken: 130, usPerPromptToken: 4, usPerRequest: -2500 };

interface Runs {
  readonly what: string;
  readonly changes: object;
  readonly workload: object;
  /** What must have happened in at least one of the runs, or they show nothing. */
  readonly shows: (records: readonly RequestRecord[]) => boolean;
}

const poisson = (rate: number) => ({ profile: { kind: "poisson", rate }, data: lengths });
const statusOf = (status: string) => (records: readonly RequestRecord[]) =>
  records.some((record) => record.status === status);
const cases: Runs[] = [
  { what: "plain requests", changes: {}, workload: poisson(20), shows: statusOf("completed") },
  {
    what: "requests too long for the server",
    changes: { engine: { maxModelLen: 400 } },
    workload: poisson(20),
    shows: statusOf("rejected"),
  },
  {
    what: "impatient clients",
    changes: { engine: { maxNumSeqs: 8 } },
    workload: { ...poisson(40), timeoutS: 3 },
    shows: statusOf("aborted"),
  },
  {
    what: "sessions",
    changes: {},
    workload: { ...poisson(8), data: { ...lengths, session } },
    shows: (records) => records.some(({ sessionId }) => sessionId !== null),
  },
  {
    what: "a closed loop",
    changes: {},
    workload: { profile: { kind: "concurrent", streams: 6 }, data: lengths },
    shows: plainIsClosedLoop,
  },
  {
    what: "few blocks",
    changes: { engine: { numGpuBlocksOverride: 260, maxModelLen: 4096 } },
    workload: poisson(25),
    shows: (records) => records.some(({ numPreemptions }) => numPreemptions > 0),
  },
  {
    what: "one-token answers, none of which has a gap",
    changes: {},
    workload: { ...poisson(50), data: { ...lengths, output: { kind: "fixed", tokens: 1 } } },
    shows: statusOf("completed"),
  },
];

describe.each(cases)("of $what, a streamed run", ({ changes, workload, shows }) => {
  const seeds = [1, 2, 3];
  const runs = seeds.flatMap((seed) =>
    [null, residual].map((seenLate) => {
      const config = parseConfig(
        runConfigSchema,
        { ...changes, seed, workload: { maxRequests: 200, ...workload } },
        "",
      );
      const plain = loadDeployment(config);
      const deployment =
        seenLate === null ? plain : { ...plain, constants: { ...plain.constants, residual: seenLate } };
      const open = () => createWorkload(config.workload, config.seed);
      const kept = simulateRequests(deployment, config, open(), null);
      const streamed: RequestRecord[] = [];
      const { summary, columns, gapsUs } = simulateStreaming(deployment, config, open(), {
        sink: { add: (record) => streamed.push(record) },
      });
      return { kept, streamed, summary, columns, gapsUs };
    }),
  );

  it("hands on the requests that a run keeps, in order of submission, and has its summary", () => {
    for (const { kept, streamed, summary } of runs) {
      expect(streamed).toEqual(kept.records);
      expect(JSON.stringify(summary)).toBe(JSON.stringify(kept.summary));
    }
    expect(runs.some(({ streamed }) => shows(streamed))).toBe(true);
  });

  it("tells what clients saw, and not what the server knows, where the two differ", () => {
    seeds.forEach((_, i) => {
      const [plain, late] = runs.slice(2 * i) as [(typeof runs)[number], (typeof runs)[number]];
      expect(late.streamed).toEqual(plain.streamed.map((record) => withClientResidual(record, residual)));
      expect(late.streamed).not.toEqual(plain.streamed);
    });
  });

  it("is summarised as its records are, to the last bit", () => {
    for (const { streamed, summary, columns, gapsUs } of runs) {
      expect(summary).toMatchObject(plainSummary(streamed));
      const seen = streamed.filter(({ firstTokenUs }) => !Number.isNaN(firstTokenUs));
      expect(gapsUs.count).toBe(seen.reduce((sum, { numOutputTokens }) => sum + numOutputTokens - 1, 0));
      const decodeUs = seen.reduce((sum, { firstTokenUs, lastTokenUs }) => sum + lastTokenUs - firstTokenUs, 0);
      expect(gapsUs.sum).toBeCloseTo(decodeUs, 2);
      expect(summary.gapMs).toEqual(gapsUs.distribution(1000));
      expect(summary.regime.queueGrowth).toBe(plainQueueGrowth(streamed));
      expect(summary.regime.closedLoop).toBe(plainIsClosedLoop(streamed));
      const completed = streamed.filter(({ status }) => status === "completed");
      for (const latencyMs of [ttftMs, e2eMs, interTokenMs]) {
        expect([...completedColumn(columns, latencyMs)]).toEqual(completed.map(latencyMs));
      }
    }
  });
});
