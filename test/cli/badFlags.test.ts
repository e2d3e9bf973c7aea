import { existsSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { temporaryFolder } from "../reference/temporaryFile.js";
import { type BadInput, expectRefusal } from "./cliCall.js";

const { folder, write } = temporaryFolder();
const trace = write("trace.csv", "arrival_s,prompt_tokens,output_tokens\n0,50,10\n");

const words: BadInput[] = [
  [[], 2, ["got nothing", "roofserve run gives a first answer"]],
  [["rnu"], 2, ['got "rnu"', "did you mean run?"]],
  [["eval"], 2, ['got "eval"', "did you mean evaluate?"]],
  [["frobnicate"], 2, ['got "frobnicate"', "must be one of run, sweep, plan, replay, evaluate"]],
  [["run", "--modle", "x"], 2, ["got --modle", "did you mean --model?"]],
  [["run", "--frobnicate"], 2, ["got --frobnicate", "there is no such flag here; --help lists the flags"]],
  [["run", "--no-frobnicate"], 2, ["got --no-frobnicate", "there is no such flag here"]],
  [["run", "--frobnicate", "--batsh", "x"], 2, ["2 problems", "got --frobnicate", "got --batsh"]],
  [["run", "--seed.x", "3"], 2, ["got --seed.x", "did you mean --seed?"]],
  [["run", "--", "extra"], 2, ['argument: got "extra"']],
  [["run", "extra"], 2, ['argument: got "extra"', "roofserve run takes no such argument"]],
  [["run", "--enable-prefix-caching", "maybe"], 2, ['argument: got "maybe"', "does a flag before it take no value"]],
  [["run", "--model"], 2, ["--model: got nothing", "needs a value"]],
  [["run", "--seed", "--gpu", "H100"], 2, ["--seed: got nothing", "needs a value"]],
  [["run", "--format"], 2, ["--format: got nothing", "needs a value"]],
  [["run", "--max-num-seqs", "64", "--max-num-seqs", "32"], 2, ["--max-num-seqs: got 64 and 32", "give it once"]],
  [["run", "--tp", "2", "--tensor-parallel-size", "4"], 2, ["got 2 and 4", "give it once"]],
  [["run", "--format", "json", "--format", "csv"], 2, ["--format: got json and csv", "give it once"]],
  [["run", "--async-scheduling", "--no-async-scheduling"], 2, ["--no-async-scheduling", "give one of the two"]],
  [["run", "--format", "xml"], 2, ['--format: got "xml"', "must be one of table, json, csv"]],
  [["replay"], 2, ["got replay", "needs a path"]],
  [["evaluate"], 2, ["got evaluate", "needs one or more paths"]],
  [["replay", trace, "--rate", "3"], 2, ["got --rate", "no such flag"]],
  [["replay", trace, "--limit", "0"], 2, ["--limit: got 0", "must be ≥ 1"]],
  [["replay", trace, "--limit", "few"], 2, ['--limit: got "few"', "must be a number"]],
  [["replay", trace, "--time-scale", "-2"], 2, ["--time-scale: got -2", "must be > 0"]],
  [["replay", trace, "--benchmark", "1"], 2, ["--benchmark: got 1", "leave it out: a trace has none"]],
  [["evaluate", trace, "--breakdown", "model"], 2, ['--breakdown: got "model"', "one of phase, batch, context, load"]],
  [["evaluate", trace, "--breakdown", "load", "--compare"], 2, ["also --", "give one of the two"]],
  [["run", "--uncertainty", "8"], 2, ["--uncertainty: got 8", "must be ≥ 9"]],
  [["run", "--uncertainty=some"], 2, ['--uncertainty: got "some"', "must be a number"]],
  ...[
    ["--step-model", "roofline-v1"],
    ["--toggle-hypotheses", "H5"],
  ].map((flags): BadInput => {
    const says = ["got a step model other than the full additive one", flags[0]!, "leave out --uncertainty"];
    return [["run", "--max-requests", "3", "--uncertainty", ...flags], 2, says];
  }),
  [["evaluate", trace, "--compare", "--step-model", "additive"], 2, ["--step-model: got additive", "leave it out"]],
  [["evaluate", trace, "--compare", "--toggle-hypotheses", "H5"], 2, ["--toggle-hypotheses: got H5", "leave it out"]],
  [["explain"], 2, ["got explain", "needs a step log", "--step-log"]],
  [["explain", "-"], 2, ['got "-"', "must name a file", "standard input is not read"]],
  [["calibrate", "-", "--out", "x.json"], 2, ['got "-"', "must name a file"]],
  [["explain", "a", "b"], 2, ['argument: got "b"', "roofserve explain takes no such argument"]],
  [["explain", trace, "--format", "csv"], 2, ['--format: got "csv"', "must be one of table, json"]],
  [["models", "--format", "csv"], 2, ['--format: got "csv"', "must be one of table, json"]],
  [["gpus", "H100"], 2, ['argument: got "H100"', "roofserve gpus takes no such argument"]],
  [["bench-data", "chekc"], 2, ['got "chekc"', "did you mean roofserve bench-data check?"]],
  [["bench-data", "imprt", "my-h200"], 2, ['got "imprt"', "did you mean roofserve bench-data import?"]],
  [["bench-data", "imprt", "my-h200", "--out", "x"], 2, ['got "imprt"', "did you mean roofserve bench-data import?"]],
  [["bench-data", "list", "a", "b"], 2, ['argument: got "b"', "takes no such argument"]],
  [["bench-data", "import", "a", "--ou", "x"], 2, ["got --ou; did you mean --out?", "--out: got nothing; say where"]],
  [["bench-data", "fit"], 2, ["--gpu: got nothing; say which GPU", "--data: got nothing; say where the tables are"]],
  [["bench-data", "check"], 2, ["needs a folder of kernel tables"]],
  [["bench-data", "import"], 2, ["needs a measured folder; or a database and its checkout"]],
  [
    ["bench-data", "import", "aiconfigurator", "--out", "x"],
    2,
    ["checkout: got nothing", "give the folder of its checkout"],
  ],
];

const numbers: BadInput[] = [
  [["run", "--max-num-seqs", "0"], 2, ["--max-num-seqs: got 0", "must be ≥ 1"]],
  [["run", "--max-num-seqs", "-1"], 2, ["--max-num-seqs: got -1", "must be ≥ 1"]],
  [["run", "--max-num-seqs", "1.5"], 2, ["--max-num-seqs: got 1.5", "must be an integer"]],
  [["run", "--max-num-seqs", "NaN"], 2, ['--max-num-seqs: got "NaN"', "must be a number"]],
  [["run", "--max-num-seqs", "1e308"], 2, ["--max-num-seqs: got 1e+308; must be ≤ 65536"]],
  [["run", "--max-num-seqs", "9007199254740992"], 2, ["got 9007199254740992; must be ≤ 65536"]],
  [["run", "--max-num-seqs="], 2, ['--max-num-seqs: got ""', "must be a number"]],
  [["run", "--num-gpu-blocks-override", "4GB"], 2, ['got "4GB"', "must be a number without a unit"]],
  [["run", "--gpu-memory-utilization", "90%"], 2, ['got "90%"', "must be a number without a unit"]],
  [["run", "--gpu-memory-utilization", "90"], 2, ["--gpu-memory-utilization: got 90", "must be ≤ 1"]],
  [["run", "--gpu-memory-utilization", "Infinity"], 2, ['got "Infinity"', "must be a number"]],
  [["run", "--num-gpu-blocks-override", "1000000000"], 2, ["must be ≤ 10000000"]],
  [["run", "--block-size", "16.5"], 2, ["--block-size: got 16.5", "must be an integer"]],
  [["run", "--tp", "0"], 2, ["--tensor-parallel-size: got 0", "must be ≥ 1"]],
  [["run", "--tp", "3"], 2, ["--tensor-parallel-size: got 3", "must divide the attention heads", "(32)"]],
  [
    ["run", "--max-num-batched-tokens", "64", "--max-num-seqs", "128"],
    2,
    ["--max-num-batched-tokens: got 64", "must be ≥ --max-num-seqs (128)"],
  ],
  [["run", "--max-model-len", "1e6"], 2, ["--max-model-len: got 1000000", "must be ≤ 131072", "Llama-3.1-8B"]],
  [["run", "--scheduling-policy", "lifo"], 2, ['got "lifo"', "must be one of fcfs, priority"]],
  [["run", "--dtype", "float64"], 2, ['--dtype: got "float64"', "must be one of auto"]],
  [["run", "--vllm-version", "9"], 2, ['--vllm-version: got "9"', "must be one of", "0.15"]],
  [["run", "--seed", "1.5"], 2, ["--seed: got 1.5", "must be an integer"]],
  [["run", "--seed", "4294967296"], 2, ["--seed: got 4294967296", "must be ≤ 2147483647"]],
  [["run", "--top-p", "0"], 2, ["--top-p: got 0", "must be > 0"]],
  [["run", "--temperature", "-1"], 2, ["--temperature: got -1", "must be ≥ 0"]],
];

const workloads: BadInput[] = [
  [["run", "--workload", "caht"], 2, ['--workload: got "caht"', "did you mean chat?"]],
  [["run", "--profile", "posson"], 2, ['--profile: got "posson"', "did you mean poisson?"]],
  [["run", "--profile", "sweep"], 2, ['--profile: got "sweep"', "roofserve sweep"]],
  [["run", "--profile", "constant"], 2, ["--rate: got nothing", "requests per second"]],
  [["run", "--profile", "concurrent"], 2, ["--rate: got nothing", "the number of streams"]],
  [["run", "--profile", "concurrent", "--rate", "2.5"], 2, ["--rate: got 2.5", "must be an integer"]],
  [["run", "--profile", "synchronous", "--rate", "3"], 2, ["--rate: got 3", "--profile synchronous does not use it"]],
  [["run", "--profile", "constant", "--burstiness", "2"], 2, ["--burstiness: got 2", "does not use it"]],
  [["run", "--profile", "gamma", "--rate", "2", "--burstiness", "0"], 2, ["--burstiness: got 0", "must be ≥ 0.001"]],
  [["run", "--profile", "trace"], 2, ["--data: got nothing", "a trace file"]],
  [["run", "--rate", "0"], 2, ["--rate: got 0", "must be ≥ 0.000001"]],
  [["run", "--rate", "-3"], 2, ["--rate: got -3", "must be ≥ 0.000001"]],
  [["run", "--rate", "NaN"], 2, ['--rate: got "NaN"', "must be a number"]],
  [["run", "--rate", "10s"], 2, ['--rate: got "10s"', "must be a number without a unit"]],
  [["run", "--rate", "1e-300"], 2, ["--rate: got 1e-300", "must be ≥ 0.000001"]],
  [["run", "--rate", "1e308"], 2, ["--rate: got 1e+308", "must be ≤ 1000000"]],
  [["run", "--max-requests", "0"], 2, ["--max-requests: got 0", "must be ≥ 1"]],
  [["run", "--max-requests", "null"], 2, ["--max-requests: got no limit", "give --max-requests or --max-seconds"]],
  [["run", "--max-seconds", "10s"], 2, ['--max-seconds: got "10s"', "without a unit"]],
  [["run", "--timeout-s", "-1"], 2, ["--timeout-s: got -1", "must be > 0"]],
  [["run", "--data", "prompt_tokens=512"], 2, ["--data output_tokens: got nothing", "must be a number"]],
  [["run", "--data", "prompt_tokens=5,output_token=3"], 2, ["--data output_token", "did you mean output_tokens?"]],
  [["run", "--data", "prompt_tokens=-1,output_tokens=3"], 2, ["--data prompt_tokens: got -1; must be ≥ 1\n"]],
  [["run", "--data", "prompt_tokens=1e308,output_tokens=3"], 2, ["got 1e+308; must be ≤ 16777216"]],
  [["run", "--data", '{"prompt_tokens":'], 2, ["--data: got", "must be valid JSON"]],
  [["run", "--data", ""], 2, ['--data: got ""', "must not be empty"]],
  [["run", "--out", ""], 2, ['--out: got ""', "must name a folder"]],
  [["run", "--requests-out", "rows.txt"], 2, ['--requests-out: got "rows.txt"', "ends in .csv or .jsonl"]],
  [["run", "--requests-out", ".csv"], 2, ['--requests-out: got ".csv"', "must name a file"]],
  [["run", "--requests-out", "a.jsonl", "--step-log", "./a.jsonl"], 2, ["--requests-out: got a.jsonl", "--step-log"]],
  [
    ["run", "--out", "o", "--step-log", "o/requests.jsonl"],
    2,
    ["--step-log: got o/requests.jsonl", "than --out writes"],
  ],
  [["run", "--report", "r", "--step-log", "./r"], 2, ["--report: got r", "must be another file than --step-log"]],
  [["run", "--data", "/dev/null", "--profile", "trace"], 3, ["/dev/null", "is no regular file"]],
  [["run", "--requests-out", `${trace}/below.csv`], 3, [trace, "is a file; choose a folder"]],
  [["run", "--step-log", ""], 2, ['--step-log: got ""', "must name a file"]],
  [["run", "--step-log"], 2, ["--step-log: got nothing", "needs a value"]],
  [["run", "--max-requests", "1", "--step-log", folder], 3, [folder, "it exists and is no file"]],
  [["run", "--step-log", `${trace}/below`], 3, [trace, "is a file; choose a folder"]],
  [["run", "--out", trace], 3, [trace, "is a file; choose a folder"]],
  [["run", "--out", `${trace}/below`], 3, [`${trace}/below`, "is a file; choose a folder"]],
];

const steps: BadInput[] = [
  [["step"], 2, ["--batch: got nothing", "e.g. --batch decode:32@1024"]],
  [["step", "--batch", ""], 2, ['--batch: got ""', "must look like decode:REQUESTS@CONTEXT"]],
  [["step", "--batch", "decode:0@5"], 2, ['got "decode:0@5"', "counts ≥ 1"]],
  [["step", "--batch", "decode:5@4;prefill:3@0"], 2, ['got "decode:5@4;prefill:3@0"', "must look like"]],
  [["step", "--batch", "decode:99999@10"], 2, ["got 99999 requests", "1024", "--max-num-seqs"]],
  [["step", "--batch", "decode:1@999999"], 2, ["got 1000000 tokens in one sequence", "--max-model-len"]],
];

describe("bad words on the command line", () => {
  test.for(words)("%j is refused", expectRefusal);
});

describe("bad numbers", () => {
  test.for(numbers)("%j is refused", expectRefusal);
});

describe("bad workloads and outputs", () => {
  test.for(workloads)("%j is refused", expectRefusal);

  test("a place where nothing can be written is refused", async () => {
    await expectRefusal([["run", "--max-requests", "1", "--out", "/proc/roofserve"], 3, ["cannot be written"]]);
  });
});

describe("bad steps", () => {
  test.for(steps)("%j is refused", expectRefusal);
});

test("bad command lines write nothing", async () => {
  await expectRefusal([["run", "--out", `${folder}/none`, "--rate", "0"], 2, ["--rate"]]);
  expect(existsSync(`${folder}/none`)).toBe(false);
});
