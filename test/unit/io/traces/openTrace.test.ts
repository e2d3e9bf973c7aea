import { join } from "node:path";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { RequestSpec } from "../../../../src/core/request/requestSpec.js";
import type { SpecStream } from "../../../../src/core/workload/specStream.js";
import { writeRunOutputs } from "../../../../src/io/results/writeRunOutputs.js";
import { openTrace } from "../../../../src/io/traces/openTrace.js";
import { type ReadTraceOptions, readTrace } from "../../../../src/io/traces/readTrace.js";
import { temporaryFolder } from "../../../reference/temporaryFile.js";
import { simulatedRun } from "../results/simulatedRun.js";

const { folder, write } = temporaryFolder();

/** Opens a trace as a large file would be. */
const open = (file: string, options: Pick<ReadTraceOptions, "limit" | "timeScale"> = {}) => openTrace(file, options, 0);

function listed(specs: readonly RequestSpec[] | SpecStream): RequestSpec[] {
  if (!("open" in specs)) return [...specs];
  const list: RequestSpec[] = [];
  const opened = specs.open();
  for (let next = opened.next(); next.done !== true; next = opened.next()) list.push(next.value);
  expect(list).toHaveLength(specs.length);
  return list;
}

const azure = write(
  "azure.csv",
  `TIMESTAMP,ContextTokens,GeneratedTokens
2023-11-16 09:00:00.1250000,812,37
2023-11-16 09:00:00.9800004,95,0
"2023-11-16 09:00:00.9800004",95,210
2023-11-16 09:00:02.4040406,4021,9
`,
);
const burst = write(
  "burst.csv",
  "Timestamp,Session ID,Request tokens,Response tokens\n5,s,300,100\n9,s,450,10\n20,t,90,1\n",
);
const mooncake = write(
  "mooncake.jsonl",
  `{"timestamp":7,"input_length":1300,"output_length":40,"hash_ids":[0,1,2]}
{"timestamp":7,"input_length":1420,"output_length":12,"hash_ids":[0,1,3]}
{"timestamp":3100,"input_length":1024,"output_length":220,"hash_ids":[0,4]}
`,
);
const own = write("own.csv", "arrival_s,prompt_tokens,output_tokens,colour\n0.5,10,5,red\n0.5,11,6,\n2,12,7,\n");
const run = simulatedRun(40, 3);
writeRunOutputs(join(folder, "run"), {
  ...run,
  summary: { version: "1" },
  steps: null,
  seed: 1,
  run: "run",
  strategy: { kind: "constant", requestsPerS: 1, streams: null, maxConcurrency: null },
  guidellmArgs: {},
});

describe("a large trace", () => {
  it.each([azure, burst, mooncake, own, join(folder, "run", "requests.csv"), join(folder, "run", "requests.jsonl")])(
    "is streamed, twice the same, as the requests and with the warnings of the whole file: %s",
    async (file) => {
      for (const options of [{}, { limit: 2 }, { timeScale: 0.37 }]) {
        const { specs, warnings } = await open(file, options);
        const whole = await readTrace(file, options);
        expect(specs).toHaveProperty("open");
        expect(listed(specs)).toEqual(whole.specs);
        expect(listed(specs)).toEqual(whole.specs);
        expect(warnings).toEqual(whole.warnings);
      }
    },
  );

  it("is read whole when it is not in order, and says so", async () => {
    const file = write("unsorted.csv", "arrival_s,prompt_tokens,output_tokens\n2,10,5\n1,11,6\n");
    const { specs, warnings } = await open(file);
    expect(specs).toEqual((await readTrace(file)).specs);
    expect(warnings).toEqual(["arrivals are not in order; requests were sorted"]);
  });

  it("says what is wrong with any row before the run", async () => {
    const rows = Array.from({ length: 2000 }, (_, i) => `${i},10,${i === 1999 ? "many" : 5}`);
    const file = write("late.csv", `arrival_s,prompt_tokens,output_tokens\n${rows.join("\n")}\n`);
    await expect(open(file)).rejects.toThrow("row 2001, column output_tokens");
    const none = write("none.csv", "arrival_s,prompt_tokens,output_tokens\n");
    await expect(open(none)).rejects.toThrow("the trace is empty");
    await expect(open(own, { limit: 0 })).rejects.toThrow("trace.limit");
  });

  it("refuses equal ids as the whole file does, whether rows have their ids or get them by their place", async () => {
    const id = fc.oneof(
      fc.constant(""),
      fc.nat({ max: 6 }).map((i) => `req-${i}`),
      fc.constantFrom("a", "b", "req-01"),
    );
    const outcome = async (opened: Promise<{ specs: readonly RequestSpec[] | SpecStream }>) =>
      opened.then(
        ({ specs }) => listed(specs).map((spec) => spec.id),
        (error: Error) => error.message,
      );
    let numStreamed = 0;
    let numRefused = 0;
    await fc.assert(
      fc.asyncProperty(fc.array(id, { minLength: 1, maxLength: 6 }), async (ids) => {
        const rows = ids.map((one, i) => `${i},10,5,${one}\n`);
        const file = write("ids.csv", `arrival_s,prompt_tokens,output_tokens,request_id\n${rows.join("")}`);
        const expected = await outcome(readTrace(file));
        expect(await outcome(open(file))).toEqual(expected);
        if (typeof expected === "string") numRefused++;
        else if ("open" in (await open(file)).specs) numStreamed++;
      }),
      { seed: 20261126, numRuns: 400 },
    );
    expect(numRefused).toBeGreaterThan(50);
    expect(numStreamed).toBeGreaterThan(50);
  });
});

describe("a small trace", () => {
  it("is read once, whole", async () => {
    expect((await openTrace(mooncake)).specs).toEqual((await readTrace(mooncake)).specs);
  });
});
