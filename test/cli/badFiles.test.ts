import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { describe, test } from "vitest";
import { temporaryFolder } from "../reference/temporaryFile.js";
import { changedJson, experimentFolder } from "../unit/io/inferencePerf/inferencePerfFolder.js";
import { type BadInput, expectRefusal } from "./cliCall.js";

const { folder, write } = temporaryFolder();
mkdirSync(join(folder, "empty"));
const empty = join(folder, "empty");
const absent = join(folder, "absent");
let numFiles = 0;

/** A file of a name's kind with this text. */
function file(extension: string, text: string): string {
  numFiles++;
  return write(`file${numFiles}.${extension}`, text);
}

/** A bad file behind one option or command: each case is its text and what the refusal says. */
function cases(
  before: readonly string[],
  extension: string,
  texts: readonly (readonly [text: string, exitCode: 2 | 3, ...says: string[]])[],
): BadInput[] {
  return texts.map(([text, exitCode, ...says]) => {
    const path = file(extension, text);
    return [[...before, path], exitCode, [path, ...says]];
  });
}

const RESULT_OF_EVALUATE = '{"schema":"roofserve.evaluate/1","experiments":[]}';

const configs: BadInput[] = [
  ...cases(["run", "--config"], "json", [
    ['{"model": "x", "engine": {"maxNum', 3, "row 1", "is not valid JSON", "is the file truncated?"],
    ["[]", 2, "got []", "must be an object of options"],
    [RESULT_OF_EVALUATE, 2, "roofserve.evaluate/1", "only a result of run or replay says its config"],
    ['{"schema":"roofserve.run/1","config":7}', 2, "config: got 7", "must be an object of options"],
    ['{"engine":{"maxNumSeqs":1e308}}', 2, "engine.maxNumSeqs: got 1e+308", "must be ≤ 65536"],
  ]),
  ...cases(["run", "--config"], "yaml", [
    ["model: [a\n b: c\n", 3, "is not valid YAML"],
    ["model: a\nmodel: b\n", 3, "row 2", "Map keys must be unique"],
    ["a: *b\n", 3, "is not valid YAML", "Unresolved alias"],
    ["", 3, "the file is empty"],
    ["- a\n- b\n", 2, 'got ["a","b"]', "must be an object of options"],
    ["modle: x\n", 2, "modle: got an unknown key", "did you mean model?"],
    ["engine: {maxNumSeq: 3}\n", 2, "engine.maxNumSeq", "did you mean maxNumSeqs?"],
    ["engine: {blockSize: 1.5, gpuMemoryUtilization: .nan}\n", 2, "2 problems", "got 1.5", "got NaN"],
    ["engine: {enablePrefixCaching: 'yes'}\n", 2, 'got "yes"', "must be true or false"],
    ["workload: 3\n", 2, "workload: got 3", "must be an object with profile and data"],
    ["workload: {profile: poisson}\n", 2, 'workload.profile: got "poisson"', "such as {kind: poisson, rate: 5}"],
    ["workload: {maxRequests: 0}\n", 2, "workload.maxRequests: got 0", "must be ≥ 1"],
  ]),
  [["run", "--config", absent], 3, [absent, "no such file", "check the path"]],
  [["run", "--config", empty], 3, [empty, "is a folder; give a file"]],
];

const models: BadInput[] = [
  ...cases(["run", "--model"], "json", [
    ['{"model_type":"llama","hidden_size":4096', 3, "is not valid JSON", "is the file truncated?"],
    ["[1,2]", 2, "got [1,2]", "must be a config.json object"],
    ['{"model_type":"vit","hidden_size":768}', 2, "model_type: got vit", "not supported yet; supported: llama"],
    ['{"hidden_size":768}', 2, "model_type: got nothing", "num_hidden_layers: got nothing"],
    ['{"model_type":"llama","hidden_size":-4096,"intermediate_size":"big"}', 2, "got -4096", 'got "big"'],
    ['{"model_type":"llama","hidden_size":1e300}', 2, "hidden_size: got 1e+300; must be ≤ 1000000"],
    ['{"model_type":"llama","kv_lora_rank":512}', 2, "multi-head latent attention (MLA) in a model of type llama"],
  ]),
  [["run", "--model", empty], 2, [empty, "the folder must hold a config.json"]],
  [["run", "--model", `${absent}.json`], 3, ["no such file", "check the path"]],
  [["run", "--model", "meta-llama/Llama-3.1-9B"], 2, ["did you mean meta-llama/Llama-3.1-8B?", "roofserve models"]],
  [["run", "--model", ""], 2, ['--model: got ""', "must not be empty"]],
  ...cases(["run", "--gpu"], "json", [
    ['{"id":"X"', 3, "is not valid JSON"],
    ['"H100"', 2, 'got "H100"', "must be an object"],
    ['{"id":"X","memory":{"capacityBytes":-1}}', 2, "memory.capacityBytes: got -1", "must be ≥ 1000000000"],
    ['{"id":"X","speed":3}', 2, "speed: got an unknown key"],
  ]),
  [["run", "--gpu", "H1000"], 2, ['--gpu: got "H1000"', "did you mean H100?", "L40S"]],
  [["run", "--gpu", empty], 3, [empty, "is a folder; give a file"]],
];

const header = "arrival_s,prompt_tokens,output_tokens\n";
const traces: BadInput[] = [
  ...cases(["replay"], "csv", [
    ["", 3, "the trace is empty", "at least one request"],
    [header, 3, "the trace is empty"],
    [`${header}0,-5,10\n`, 3, "row 2, column prompt_tokens", 'got "-5"', "must be an integer from 1"],
    [`${header}0,5,10\nNaN,5,10\n`, 3, "row 3, column arrival_s", 'got "NaN"', "must be a number"],
    [`${header}0,1e308,10\n`, 3, 'got "1e308"', "16777216 (tokens)"],
    [`${header}9007199254740993,10,10\n`, 3, 'got "9007199254740993"', "(seconds)"],
    [`${header}0,0,10\n`, 3, "column prompt_tokens", 'got "0"'],
    [`${header}1s,50,10\n`, 3, 'got "1s"', "(seconds)"],
    [`${header}0,5\n`, 3, "row 2", "has 2 cells, the header has 3"],
    [`${header}0,"5,10\n`, 3, "row 2", "is not valid CSV"],
    ["arrival,prompt,output\n0,1,2\n", 3, "row 1", "is no trace we know", "arrival_s,prompt_tokens,output_tokens"],
    ["TIMESTAMP,ContextTokens,GeneratedTokens\n2023-13-45 18:17:03,10,3\n", 3, "row 2, column TIMESTAMP"],
    ["\u0000\u0001\u0002", 3, "is not text"],
  ]),
  ...cases(["replay"], "jsonl", [
    ['{"timestamp":0,"input_length":5,"output_length":5}\n{"timestamp":0,"inp', 3, "row 2", "the file is truncated"],
    ['{"timestamp":-1,"input_length":5,"output_length":5}\n', 3, "column timestamp", "got -1", "(milliseconds)"],
    ['{"timestamp":0,"input_length":1024,"output_length":5,"hash_ids":[1]}\n', 3, "hash_ids", "a list of 2 block ids"],
  ]),
  [["replay", absent], 3, [absent, "no such file"]],
  [["replay", empty], 3, [empty, "is a folder without a run to replay"]],
  [["run", "--data", absent], 3, [absent, "no such file"]],
  [["run", "--data", empty], 3, [empty, "is a folder; give a trace file"]],
];

const measured: BadInput[] = [
  ...cases(["evaluate"], "json", [
    ['{"benchmarks":[]}', 3, "column benchmarks", "at least one benchmark"],
    ['{"benchmarks":7}', 3, "column benchmarks: got 7", "GuideLLM 0.3 to 0.7"],
    ['{"benchmarks":[{"x":', 3, "is not valid JSON", "is the file truncated?"],
    ['{"schema":"roofserve.ground-truth/9"}', 3, "column schema", "roofserve.ground-truth/1"],
    ['{"schema":"roofserve.ground-truth/1","experiments":"x"}', 3, 'column experiments: got "x"'],
  ]),
  [["evaluate", absent], 3, [absent, "no such file or folder"]],
  [["evaluate", empty], 3, [empty, "holds no measurements", "inference-perf folder"]],
  ...[
    [{ "replay.json": '{"requests":[' }, "replay.json", "is not valid JSON"],
    [{ "results/config.yaml": "load: [\n" }, "config.yaml", "is not valid YAML"],
    [{ "results/config.yaml": null }, "config.yaml", "no such file"],
    [{ "ground_truth.json": "{" }, "ground_truth.json", "is not valid JSON"],
    [changedJson("replay.json", (data) => (data.requests[3].arrival_time_us = "late")), "requests[3]", 'got "late"'],
    [{ "exp-config.yaml": "tensor_parallelism: two\n" }, "exp-config.yaml", 'got "two"'],
  ].map(([changes, ...says]): BadInput => {
    return [["evaluate", experimentFolder(changes as Record<string, string | null>)], 3, says as string[]];
  }),
];

/** A bench_data folder with one GEMM table. */
function gemmTable(name: string, text: string): string {
  mkdirSync(join(folder, name, "gemm", "h100"), { recursive: true });
  write(join(name, "gemm", "h100", "data.csv"), text);
  return join(folder, name);
}

const tables: BadInput[] = [
  [["run", "--bench-data", absent], 3, [absent, "no such folder"]],
  [["run", "--bench-data", empty], 2, ["--bench-data", "must hold kernel tables of H100", "no tables at all"]],
  [["run", "--bench-data", gemmTable("word", "m,k,n,latency_us\n1,2,x,3\n")], 3, ["row 2, column n", "got x"]],
  [["run", "--bench-data", gemmTable("zero", "m,k,n,latency_us\n0,8,8,0\n")], 3, ["row 2, column m", "got 0"]],
  [["run", "--bench-data", gemmTable("head", "foo\n1\n")], 3, ["row 1", "unknown header foo", "m,k,n"]],
  [["bench-data", "list", absent], 3, [absent, "no such folder"]],
  [["bench-data", "check", file("csv", "x")], 3, ["is a file; give the folder"]],
  [["bench-data", "import", "aiconfigurator", empty, "--out", absent], 3, [empty, "give a checkout"]],
  [["bench-data", "import", "aiconfigurator", empty], 2, ["--out: got nothing", "say where the tables go"]],
  [
    ["bench-data", "import", "other", empty, "--out", absent],
    2,
    [`checkout: got ${empty}`, "only aiconfigurator has it"],
  ],
  [["bench-data", "import", absent, "--out", empty], 3, [absent, "no such folder"]],
];

/** First line of a step log. */
const logHeader = JSON.stringify({
  schema: "roofserve.step-log/2",
  version: "0.1.0",
  config: { model: "m", gpu: "g", engine: { tensorParallelSize: 1 }, pricing: { stepModel: "additive" } },
  components: [{ name: "qkv_proj", category: "gemm" }],
  codes: { bound: {}, source: {}, lookup: {} },
});

const stepLogs: BadInput[] = [
  ...cases(["explain"], "jsonl", [
    ["", 3, "is empty", "give a file that run or replay wrote with --step-log"],
    ['{"schema":"roofserve.run/1"}\n', 3, "row 1, column schema", "must be roofserve.step-log/2"],
    ['{"schema":"roofserve.step-log/2","vers', 3, "row 1", "the file is truncated"],
    ["[]\n", 3, "row 1: got []", "each line must be one JSON object"],
    [`${logHeader}\n`, 3, "is cut off after 0 steps", "the closing line is missing"],
  ]),
  [["explain", absent], 3, [absent, "no such file"]],
  [["explain", empty], 3, [empty, "is a folder, not a file"]],
];

describe("config files", () => {
  test.for(configs)("%j is refused", expectRefusal);
});
describe("models and GPUs", () => {
  test.for(models)("%j is refused", expectRefusal);
});
describe("traces", () => {
  test.for(traces)("%j is refused", expectRefusal);
});
describe("measured runs", () => {
  test.for(measured)("%j is refused", expectRefusal);
});
describe("step logs", () => {
  test.for(stepLogs)("%j is refused", expectRefusal);
});
describe("kernel tables", () => {
  test.for(tables)("%j is refused", expectRefusal);
});
