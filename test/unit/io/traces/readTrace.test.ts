import { describe, expect, it } from "vitest";
import { type RequestSpec, requestSpec } from "../../../../src/core/request/requestSpec.js";
import { readTrace, streamTrace } from "../../../../src/io/traces/readTrace.js";
import { traceFields } from "../../../../src/io/traces/traceFields.js";
import { detectTraceFormat } from "../../../../src/io/traces/traceFormat.js";
import { temporaryFolder } from "../../../reference/temporaryFile.js";

const { write } = temporaryFolder();
const brief = (specs: readonly RequestSpec[]) =>
  specs.map((spec) => [spec.arrivalUs, spec.numPromptTokens, spec.maxTokens]);

const AZURE_2023 = `TIMESTAMP,ContextTokens,GeneratedTokens
2023-11-16 09:00:00.1250000,812,37
2023-11-16 09:00:00.9800004,95,210
2023-11-16 09:00:02.4040406,4021,9
`;

describe("readTrace: Azure", () => {
  it("reads seven-digit local times to the microsecond, from the first request on", async () => {
    const { format, specs, warnings } = await readTrace(write("azure.csv", AZURE_2023));
    expect(format).toBe("azure");
    expect(brief(specs)).toEqual([
      [0, 812, 37],
      [855_000, 95, 210],
      [2_279_041, 4021, 9],
    ]);
    expect(warnings).toEqual([]);
  });

  it("reads times with an offset, across midnight and a leap day, with other columns in between", async () => {
    const text = `TIMESTAMP,NumImages,ContextTokens,GeneratedTokens
2024-02-29 23:59:59.999999+00:00,0,10,1
2024-03-01 02:00:00.000001+02:00,1,20,2
2024-03-01T00:00:01Z,1,30,3
`;
    expect(brief((await readTrace(write("azure24.csv", text))).specs)).toEqual([
      [0, 10, 1],
      [2, 20, 2],
      [1_000_001, 30, 3],
    ]);
  });

  it("reads files from Windows: byte order mark, CRLF, quotes, no last newline", async () => {
    const text = `\uFEFF"TIMESTAMP","ContextTokens","GeneratedTokens"\r\n"2023-11-16 09:00:00",1,2\r\n\r\n2023-11-16 09:00:01,3,4`;
    expect(brief((await readTrace(write("windows.csv", text))).specs)).toEqual([
      [0, 1, 2],
      [1_000_000, 3, 4],
    ]);
  });
});

describe("readTrace: BurstGPT", () => {
  it("finds columns by name in both layouts, drops failures and counts them", async () => {
    const old = `Timestamp,Model,Request tokens,Response tokens,Total tokens,Log Type
5,ChatGPT,310,120,430,Conversation log
6,ChatGPT,100,0,100,Conversation log
45.5,GPT-4,88,40,128,API log
`;
    const read = await readTrace(write("burst1.csv", old));
    expect(read.format).toBe("burstgpt");
    expect(brief(read.specs)).toEqual([
      [0, 310, 120],
      [40_500_000, 88, 40],
    ]);
    expect(read.numDropped).toBe(1);
    expect(read.warnings).toEqual(["1 of 3 rows dropped: no output tokens (failed requests)"]);

    const newer = `Timestamp,Session ID,Elapsed time,Model,Request tokens,Response tokens,Total tokens,Log Type
12,s-1,4.1,ChatGPT,310,120,430,Conversation log
19,,1.7,GPT-4,88,40,128,API log
61,s-1,6.0,ChatGPT,455,210,665,Conversation log
`;
    const { specs } = await readTrace(write("burst2.csv", newer));
    expect(specs.map((spec) => spec.sessionId)).toEqual(["s-1", null, "s-1"]);
    expect(brief(specs)[2]).toEqual([49_000_000, 455, 210]);
  });

  it("can let the turns of a session repeat what was said before", async () => {
    const text = `Timestamp,Session ID,Request tokens,Response tokens
0,s,300,100
9,s,450,10
20,s,90,10
`;
    const { specs } = await readTrace(write("burst3.csv", text), { shareSessionHistory: true });
    const [first, second, third] = specs;
    expect(second!.promptSegments.slice(0, 2)).toEqual([
      ...first!.promptSegments,
      { contentId: first!.outputContentId, numTokens: 100 },
    ]);
    expect(second!.numPromptTokens).toBe(450);
    expect(third!.promptSegments).toHaveLength(1);
  });
});

const MOONCAKE = `{"timestamp":0,"input_length":1300,"output_length":40,"hash_ids":[0,1,2]}
{"timestamp":250,"input_length":1420,"output_length":12,"hash_ids":[0,1,3]}
{"timestamp":3100,"input_length":1024,"output_length":220,"hash_ids":[0,4]}
{"timestamp":3100,"input_length":1300,"output_length":5,"hash_ids":[0,1,2]}
`;

describe("readTrace: hashed blocks", () => {
  it("makes equal blocks equal contents", async () => {
    const { format, specs } = await readTrace(write("mooncake.jsonl", MOONCAKE));
    expect(format).toBe("mooncake");
    expect(specs.map((spec) => spec.arrivalUs)).toEqual([0, 250_000, 3_100_000, 3_100_000]);
    expect(specs[0]!.promptSegments.map((segment) => segment.numTokens)).toEqual([512, 512, 276]);
    expect(specs[1]!.promptSegments.slice(0, 2)).toEqual(specs[0]!.promptSegments.slice(0, 2));
    expect(specs[3]!.promptSegments).toEqual(specs[0]!.promptSegments);
    expect(specs[2]!.promptSegments[0]).toEqual(specs[0]!.promptSegments[0]);
  });

  it("lets a last block that is not full equal only one of the same id and length", async () => {
    const lines = [700, 700, 900, 1024].map(
      (length) => `{"timestamp":0,"input_length":${length},"output_length":1,"hash_ids":[7,8]}`,
    );
    const { specs } = await readTrace(write("tails.jsonl", lines.join("\n")));
    const last = specs.map((spec) => spec.promptSegments[1]!.contentId);
    expect(last[0]).toBe(last[1]);
    expect(new Set(last).size).toBe(3);
  });

  it("spreads coarse time stamps over their resolution, in order", async () => {
    const stamps = [0, 0, 0, 3000, 9000, 9000];
    const lines = stamps.map((stamp) => `{"timestamp":${stamp},"input_length":5,"output_length":1}`);
    const { specs } = await readTrace(write("coarse.jsonl", lines.join("\n")), { spreadArrivals: true });
    expect(specs.map((spec) => spec.arrivalUs / 1e6)).toEqual([0, 1, 2, 3, 9, 10.5]);
  });

  it("reads Qwen-Bailian: seconds, blocks of 16, sessions by the first turn", async () => {
    const text = `{"chat_id":159,"parent_chat_id":-1,"timestamp":61.114,"input_length":20,"output_length":8,"type":"text","turn":1,"hash_ids":[1,2]}
{"chat_id":160,"parent_chat_id":159,"timestamp":70,"input_length":40,"output_length":8,"type":"text","turn":2,"hash_ids":[1,3,4]}
{"chat_id":161,"parent_chat_id":160,"timestamp":71.5,"input_length":16,"output_length":8,"type":"text","turn":3,"hash_ids":[1]}
`;
    const { format, specs } = await readTrace(write("bailian.jsonl", text));
    expect(format).toBe("bailian");
    expect(specs.map((spec) => [spec.arrivalUs, spec.sessionId])).toEqual([
      [0, "159"],
      [8_886_000, "159"],
      [10_386_000, "159"],
    ]);
  });
});

const span = (id: string, startNs: string, prompt: string, completion: string) =>
  JSON.stringify({
    resourceSpans: [
      {
        scopeSpans: [
          {
            spans: [
              {
                name: "llm_request",
                startTimeUnixNano: startNs,
                attributes: [
                  { key: "gen_ai.request.id", value: { stringValue: id } },
                  { key: "gen_ai.usage.prompt_tokens", value: { intValue: prompt } },
                  { key: "gen_ai.usage.completion_tokens", value: { intValue: completion } },
                ],
              },
              { name: "something_else" },
            ],
          },
        ],
      },
    ],
  });

describe("readTrace: OpenTelemetry spans of vLLM", () => {
  it("sorts by start without a warning, keeping nanoseconds apart that a double would not", async () => {
    const text = [span("b", "1768918479435273999", "30", "4"), span("a", "1768918479435271000", "20", "3")].join("\n");
    const { format, specs, warnings } = await readTrace(write("otel.json", text));
    expect(format).toBe("otel");
    expect(specs.map((spec) => [spec.id, spec.arrivalUs, spec.numPromptTokens, spec.maxTokens])).toEqual([
      ["a", 0, 20, 3],
      ["b", 3, 30, 4],
    ]);
    expect(warnings).toEqual([]);
  });

  it("can be told that all prompts open with the same tokens", async () => {
    const text = [span("a", "1", "2000", "4"), span("b", "2", "500", "3")].join("\n");
    const { specs } = await readTrace(write("otel2.json", text), { sharedPrefixTokens: 1024 });
    expect(specs.map((spec) => spec.promptSegments.map((segment) => segment.numTokens))).toEqual([[1024, 976], [500]]);
    expect(specs[0]!.promptSegments[0]!.contentId).toBe(specs[1]!.promptSegments[0]!.contentId);
  });
});

const OWN = `arrival_s,prompt_tokens,output_tokens,request_id,prefix_id,prefix_tokens,session_id,priority,lora,timeout_s
1.5,100,10,first,sys,64,,,,
2,80,20,,sys,64,s1,-1,adapter,30
2.000001,64,5,,sys,64,,,,
3,7,1,,,,,,,
`;

describe("readTrace: our own formats", () => {
  it("reads every column, and keeps times from the start of the run", async () => {
    const { format, specs } = await readTrace(write("own.csv", OWN));
    expect(format).toBe("csv");
    expect(brief(specs)).toEqual([
      [1_500_000, 100, 10],
      [2_000_000, 80, 20],
      [2_000_001, 64, 5],
      [3_000_000, 7, 1],
    ]);
    expect(specs.map((spec) => spec.id)).toEqual(["first", "req-1", "req-2", "req-3"]);
    expect(specs[1]).toMatchObject({ sessionId: "s1", priority: -1, lora: "adapter", timeoutUs: 30_000_000 });
    const prefix = specs[0]!.promptSegments[0]!;
    expect(prefix.numTokens).toBe(64);
    expect(specs.slice(1, 3).map((spec) => spec.promptSegments[0])).toEqual([prefix, prefix]);
    const others = [specs[0]!, specs[1]!, specs[3]!].map((spec) => spec.promptSegments.at(-1)!.contentId);
    expect(new Set([prefix.contentId, ...others]).size).toBe(4);
  });

  it("reads the same from JSON lines", async () => {
    const text = `{"arrival_s":1.5,"prompt_tokens":100,"output_tokens":10,"prefix_id":"sys","prefix_tokens":64,"request_id":"first"}

{"arrival_s":2,"prompt_tokens":12,"output_tokens":3,"prompt_segments":[[5,8],[9,4]],"output_content":7}
`;
    const { format, specs } = await readTrace(write("own.jsonl", text));
    expect(format).toBe("jsonl");
    expect(brief(specs)).toEqual([
      [1_500_000, 100, 10],
      [2_000_000, 12, 3],
    ]);
    expect(specs[1]!.promptSegments.map((segment) => segment.numTokens)).toEqual([8, 4]);
  });

  it("reads back what traceFields wrote: same requests, same equalities of contents", async () => {
    const specs = [
      {
        id: "a",
        arrivalUs: 1_000_007,
        promptSegments: [{ contentId: 4, numTokens: 6 }],
        maxTokens: 3,
        outputContentId: 9,
      },
      {
        id: "b, with comma",
        arrivalUs: 2_345_678_901,
        promptSegments: [
          { contentId: 4, numTokens: 6 },
          { contentId: 9, numTokens: 3 },
        ],
        maxTokens: 2,
        outputContentId: 11,
        priority: 2,
        sessionId: "s",
        timeoutUs: 1_500_000,
      },
    ].map((fields) => requestSpec(fields));
    const rows = specs.map((spec) => ({ ...traceFields(spec), output_tokens: 0, ttft_ms: 3, status: "aborted" }));
    const columns = Object.keys(rows[0]!);
    const csv = [columns, ...rows.map((row) => Object.values(row).map((cell) => `"${cell}"`))].map((cells) =>
      cells.join(","),
    );
    const { specs: back, warnings } = await readTrace(write("back.csv", csv.join("\n")));
    const withoutContents = (list: readonly RequestSpec[]) =>
      list.map(({ promptSegments, outputContentId, ...rest }) => ({ ...rest, n: promptSegments.length }));
    expect(withoutContents(back)).toEqual(withoutContents(specs));
    expect(back[1]!.promptSegments[0]).toEqual(back[0]!.promptSegments[0]);
    expect(back[1]!.promptSegments[1]!.contentId).toBe(back[0]!.outputContentId);
    expect(warnings).toEqual([]);
  });

  it("sorts rows that are out of order, keeps ties in file order, and says so", async () => {
    const text = "arrival_s,prompt_tokens,output_tokens,request_id\n5,1,1,c\n1,1,1,a\n5,1,1,d\n1,1,1,b\n";
    const { specs, warnings } = await readTrace(write("unsorted.csv", text));
    expect(specs.map((spec) => spec.id)).toEqual(["a", "b", "c", "d"]);
    expect(warnings).toEqual(["arrivals are not in order; requests were sorted"]);
  });

  it("says which columns it does not read, but not of columns of our results", async () => {
    const text = "arrival_s,prompt_tokens,output_tokens,colour,ttft_ms,status\n5,1,1,red,3,completed\n";
    expect((await readTrace(write("colour.csv", text))).warnings).toEqual(["column colour is not read"]);
  });
});

describe("readTrace: options", () => {
  it("limits rows, scales time, and shifts to 0 only when asked", async () => {
    const file = write("options.csv", OWN);
    expect((await readTrace(file, { limit: 2 })).specs).toHaveLength(2);
    const scaled = await readTrace(file, { timeScale: 2, startAtZero: true });
    expect(scaled.specs.map((spec) => spec.arrivalUs)).toEqual([0, 1_000_000, 1_000_002, 3_000_000]);
  });

  it.each([
    [{ limit: 0 }, "trace.limit: got 0"],
    [{ limit: 1.5 }, "trace.limit: got 1.5"],
    [{ timeScale: 0 }, "trace.timeScale: got 0"],
    [{ timeScale: Number.NaN }, "trace.timeScale: got NaN"],
    [{ sharedPrefixTokens: -1 }, "trace.sharedPrefixTokens: got -1"],
  ])("refuses %j", async (options, message) => {
    await expect(readTrace(write("options.csv", OWN), options)).rejects.toThrow(message);
  });

  it("takes a format by force", async () => {
    const file = write("forced.csv", AZURE_2023);
    await expect(readTrace(file, { format: "vidur" })).rejects.toThrow("the header has no column arrived_at");
  });
});

describe("streamTrace", () => {
  it("yields what readTrace yields for a sorted file, and stops when told", async () => {
    const file = write("stream.jsonl", MOONCAKE);
    const streamed: RequestSpec[] = [];
    for await (const spec of streamTrace(file)) streamed.push(spec);
    expect(streamed).toEqual((await readTrace(file)).specs);
    const two: RequestSpec[] = [];
    for await (const spec of streamTrace(file, { limit: 2 })) two.push(spec);
    expect(two).toHaveLength(2);
  });

  it("refuses a file that is out of order", async () => {
    const file = write("stream.csv", "arrival_s,prompt_tokens,output_tokens\n5,1,1\n1,1,1\n");
    const drain = async () => {
      for await (const _ of streamTrace(file)) {
        // Only the error counts.
      }
    };
    await expect(drain()).rejects.toThrow("row 3: arrives before the row above");
  });
});

describe("detectTraceFormat", () => {
  it("knows each format by its first line", () => {
    const detect = (text: string) => detectTraceFormat(write("detect", text));
    expect(detect("arrived_at,num_prefill_tokens,num_decode_tokens,pd_ratio\n")).toBe("vidur");
    expect(detect(`\n\n${OWN}`)).toBe("csv");
    expect(detect('{"resourceSpans":[]}')).toBe("otel");
    expect(detect('{"arrival_s":1}')).toBe("jsonl");
  });
});
