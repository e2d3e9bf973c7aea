import { describe, expect, it } from "vitest";
import { DataFileError } from "../../../../src/core/errors/simulationError.js";
import { readTrace } from "../../../../src/io/traces/readTrace.js";
import { temporaryFolder } from "../../../reference/temporaryFile.js";

const { folder, write } = temporaryFolder();

const OWN = "arrival_s,prompt_tokens,output_tokens";
const AZURE = "TIMESTAMP,ContextTokens,GeneratedTokens";
const mooncake = (fields: object) =>
  JSON.stringify({ timestamp: 0, input_length: 600, output_length: 1, hash_ids: [0, 1], ...fields });
const span = (fields: object) =>
  JSON.stringify({ resourceSpans: [{ scopeSpans: [{ spans: [{ name: "llm_request", ...fields }] }] }] });
const tokens = (prompt: unknown, completion: unknown) => [
  { key: "gen_ai.usage.prompt_tokens", value: { intValue: prompt } },
  { key: "gen_ai.usage.completion_tokens", value: { intValue: completion } },
];

/** What is wrong, the file, and what the message must say. */
const CASES: readonly (readonly [string, string, readonly string[]])[] = [
  ["an empty file", "", ["the trace is empty"]],
  ["only blank lines", "\n\n  \n", ["the trace is empty"]],
  ["only a header", `${OWN}\n`, ["the trace is empty; it must have at least one request"]],
  ["prose", "Dear reader,\nno trace here\n", ["row 1", 'the first line is "Dear reader,"', "azure (TIMESTAMP,"]],
  ["another JSON", '{"a":1}\n', ["row 1", "is no trace we know", "mooncake (timestamp, input_length)"]],
  ["a JSON array", "[1,2]\n", ["row 1", "is no trace we know"]],
  [
    "a missing column",
    "arrival_s,prompt_tokens\n1,2\n",
    ["row 1", "the header has no column output_tokens", "it has arrival_s, prompt_tokens"],
  ],
  ["a misspelt optional column", `${OWN},prefx_id\n1,2,3,x\n`, ["column prefx_id", "did you mean prefix_id?"]],
  ["a doubled column", `${OWN},arrival_s\n1,2,3,4\n`, ["row 1, column arrival_s", "twice"]],
  ["a short row", `${OWN}\n1,2,3\n4,5\n`, ["row 3", "has 2 cells, the header has 3"]],
  ["a long row", `${OWN}\n1,2,3,4\n`, ["row 2", "has 4 cells"]],
  ["an open quote", `${OWN}\n1,2,3\n4,"5,6\n`, ["is not valid CSV"]],
  ["a semicolon file", "arrival_s;prompt_tokens;output_tokens\n1;2;3\n", ["row 1", "is no trace we know"]],
  [
    "a decimal comma",
    `${OWN}\n"1,5",2,3\n`,
    ["row 2, column arrival_s", 'got "1,5"; must be a number from 0 to 4000000000 (seconds)'],
  ],
  [
    "words for a number",
    `${OWN}\n1,many,3\n`,
    ["row 2, column prompt_tokens", 'got "many"; must be an integer from 1 to 16777216 (tokens)'],
  ],
  ["NaN", `${OWN}\nNaN,2,3\n`, ["row 2, column arrival_s", 'got "NaN"']],
  ["infinity", `${OWN}\nInfinity,2,3\n`, ["column arrival_s", 'got "Infinity"']],
  ["an empty cell", `${OWN}\n1,,3\n`, ["row 2, column prompt_tokens", "got an empty cell"]],
  ["a negative arrival", `${OWN}\n-1,2,3\n`, ["row 2, column arrival_s", 'got "-1"']],
  ["a negative length", `${OWN}\n1,-2,3\n`, ["column prompt_tokens", 'got "-2"']],
  ["no prompt", `${OWN}\n1,0,3\n`, ["column prompt_tokens", 'got "0"']],
  ["no output", `${OWN}\n1,2,0\n`, ["column output_tokens", 'got "0"']],
  ["half a token", `${OWN}\n1,2.5,3\n`, ["column prompt_tokens", 'got "2.5"; must be an integer']],
  ["a huge prompt", `${OWN}\n1,99999999999,3\n`, ["column prompt_tokens", 'got "99999999999"']],
  ["arrival in nanoseconds since 1970", `${OWN}\n1768918479435273999,2,3\n`, ["column arrival_s", "(seconds)"]],
  ["hexadecimal", `${OWN}\n0x10,2,3\n`, ["column arrival_s", 'got "0x10"']],
  [
    "two requests of one id",
    `${OWN},request_id\n1,2,3,a\n2,2,3,a\n`,
    ["row 3", 'two requests have the id "a" (the other is in row 2)'],
  ],
  [
    "a prefix longer than the prompt",
    `${OWN},prefix_id,prefix_tokens\n1,20,3,p,30\n`,
    ["row 2, column prefix_tokens", "from 0 to 20"],
  ],
  [
    "prefix tokens without prefix",
    `${OWN},prefix_id,prefix_tokens\n1,20,3,,10\n`,
    ["row 2, column prefix_id", "must name the prefix"],
  ],
  [
    "segments that do not add up",
    `${OWN},prompt_segments\n1,20,3,1:5 2:5\n`,
    ["column prompt_segments", "must add up to prompt_tokens (20); they add up to 10"],
  ],
  [
    "malformed segments",
    `${OWN},prompt_segments\n1,20,3,1-20\n`,
    ["column prompt_segments", "must be content:tokens pairs"],
  ],
  ["a priority that is no integer", `${OWN},priority\n1,20,3,high\n`, ["column priority", 'got "high"']],
  ["no patience", `${OWN},timeout_s\n1,20,3,0\n`, ["column timeout_s", 'got "0"']],
  [
    "a truncated JSON line",
    '{"arrival_s":1,"prompt_tokens":2,"output_tokens":3}\n{"arrival_s":2,"prompt_to',
    ["row 2", "is not valid JSON", "the file is truncated"],
  ],
  [
    "a JSON line that is no object",
    '{"arrival_s":1,"prompt_tokens":2,"output_tokens":3}\n17\n',
    ["row 2", "got 17; each line must be one JSON object"],
  ],
  ["a missing JSON key", '{"arrival_s":1,"prompt_tokens":2}\n', ["row 1, column output_tokens", "got nothing"]],
  ["a JSON null", '{"arrival_s":null,"prompt_tokens":2,"output_tokens":3}\n', ["column arrival_s", "got null"]],
  ["a JSON boolean", '{"arrival_s":1,"prompt_tokens":true,"output_tokens":3}\n', ["column prompt_tokens", "got true"]],
  [
    "JSON segments of the wrong shape",
    '{"arrival_s":1,"prompt_tokens":5,"output_tokens":3,"prompt_segments":[[1,2,3]]}',
    ["column prompt_segments"],
  ],
  [
    "month 13",
    `${AZURE}\n2023-13-01 00:00:00.0,1,2\n`,
    ["row 2, column TIMESTAMP", "must be a time such as 2023-11-16"],
  ],
  ["the 30th of February", `${AZURE}\n2024-02-30 00:00:00,1,2\n`, ["column TIMESTAMP", 'got "2024-02-30 00:00:00"']],
  ["a date without time", `${AZURE}\n2024-02-03,1,2\n`, ["column TIMESTAMP"]],
  [
    "Azure with a renamed column",
    "TIMESTAMP,ContextTokens,Generated\n2024-02-03 00:00:00,1,2\n",
    ["the header has no column GeneratedTokens"],
  ],
  [
    "failed requests only",
    `${AZURE}\n2024-02-03 00:00:00,5,0\n`,
    ["the trace has no usable request: 1 of 1 rows dropped: no output tokens"],
  ],
  [
    "too few hash ids",
    mooncake({ hash_ids: [0] }),
    ["row 1, column hash_ids", "must be a list of 2 block ids, one per 512 tokens of input_length 600; it has 1"],
  ],
  ["too many hash ids", mooncake({ hash_ids: [0, 1, 2] }), ["column hash_ids", "it has 3"]],
  ["a negative hash id", mooncake({ hash_ids: [0, -1] }), ["column hash_ids", "number 2 is not"]],
  ["a textual hash id", mooncake({ hash_ids: ["a", 1] }), ["column hash_ids", "number 1 is not"]],
  ["hash ids that are no list", mooncake({ hash_ids: 4 }), ["column hash_ids", "it is no list"]],
  ["a negative time stamp", mooncake({ timestamp: -5 }), ["row 1, column timestamp", "got -5", "(milliseconds)"]],
  ["a length in text", mooncake({ input_length: "long" }), ["column input_length", 'got "long"']],
  ["a batch without spans", '{"resourceSpans":{}}', ["row 1, column resourceSpans", "must be a list"]],
  [
    "spans of other kinds only",
    '{"resourceSpans":[{"scopeSpans":[{"spans":[{"name":"http"}]}]}]}',
    ["the trace is empty"],
  ],
  [
    "a span without usage",
    span({ startTimeUnixNano: "1", attributes: [] }),
    ["row 1, column gen_ai.usage.prompt_tokens", "got nothing"],
  ],
  ["a span without start", span({ attributes: tokens("5", "6") }), ["row 1, column startTimeUnixNano", "got nothing"]],
  [
    "a span whose start is no number",
    span({ startTimeUnixNano: "soon", attributes: tokens("5", "6") }),
    ["column startTimeUnixNano", 'got "soon"'],
  ],
  [
    "a span of half a token",
    span({ startTimeUnixNano: "1", attributes: tokens("5.5", "6") }),
    ["column gen_ai.usage.prompt_tokens", 'got "5.5"'],
  ],
];

describe("a malformed trace is refused with its place, its value and what is expected", () => {
  it.each(CASES)("%s", async (name, text, parts) => {
    const file = write(`${name.replaceAll(/\W+/g, "-")}.trace`, text);
    const error = await readTrace(file).then(
      () => null,
      (problem: unknown) => problem,
    );
    expect(error).toBeInstanceOf(DataFileError);
    const { message } = error as DataFileError;
    expect(message.startsWith(file)).toBe(true);
    for (const part of parts) expect(message).toContain(part);
  });

  it("a missing file, also when the format is given", async () => {
    const file = `${folder}/nowhere.csv`;
    await expect(readTrace(file)).rejects.toThrow("nowhere.csv: no such file; check the path");
    await expect(readTrace(file, { format: "mooncake" })).rejects.toThrow("no such file");
  });

  it("a folder", async () => {
    await expect(readTrace(folder)).rejects.toThrow("is a folder; give a trace file");
  });

  it("a packed file", async () => {
    await expect(readTrace(write("packed.gz", new Uint8Array([31, 139, 8, 0, 0, 0, 0, 0])))).rejects.toThrow(
      "is not text",
    );
  });
});
