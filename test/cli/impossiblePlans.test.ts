import { describe, expect, test } from "vitest";
import { temporaryFolder } from "../reference/temporaryFile.js";
import { type BadInput, callCli, expectRefusal } from "./cliCall.js";

const { write } = temporaryFolder();
const header = "arrival_s,prompt_tokens,output_tokens\n";
const longOnly = write("long.csv", `${header}0,500000,10\n`);
const longAndShort = write("mixed.csv", `${header}0,500000,10\n1,50,5\n`);
const unsorted = write("unsorted.csv", `${header}3,50,10\n1,60,10\n`);

const plans: BadInput[] = [
  [
    ["run", "--model", "meta-llama/Llama-3.1-405B", "--gpu", "L4"],
    4,
    ["does not fit", "needs 757", "GiB (", "available 19.83 GiB", "--tensor-parallel-size 32 with --quantization fp8"],
  ],
  [["run", "--model", "meta-llama/Llama-3.1-70B"], 4, ["does not fit", "try --tensor-parallel-size 4"]],
  [["run", "--gpu", "L4"], 4, ["one sequence of 131072 tokens", "a smaller --max-model-len", "--max-model-len 8192"]],
  [["run", "--gpu-memory-utilization", "0.01"], 4, ["does not fit", "--gpu-memory-utilization 0.95"]],
  [["step", "--batch", "decode:1@1", "--model", "meta-llama/Llama-3.1-70B"], 4, ["does not fit", "bytes)"]],
  [["run", "--max-model-len", "10"], 4, ["none of 500 requests can be scheduled", "--max-model-len 131072"]],
  [
    ["run", "--num-gpu-blocks-override", "4"],
    4,
    ["none of 500 requests", "KV blocks", "available", "a larger --num-gpu-blocks-override"],
  ],
  [["replay", longOnly], 4, ["the request can never be scheduled", "needs 61.04 GiB", "a model with a longer context"]],
  [["replay", longOnly, "--no-enable-chunked-prefill"], 4, ["500000 tokens", "shorter prompts"]],
];

describe("plans that cannot work", () => {
  test.for(plans)("%j ends with code 4, needed and available bytes, and knobs", expectRefusal);
});

describe("plans that work in part", () => {
  test("prompts that can never be scheduled are rejected, counted and explained", async () => {
    const result = await callCli("replay", longAndShort, "--format", "json");
    expect(result.exitCode).toBe(0);
    expect(JSON.parse(result.stdout).requests).toMatchObject({ submitted: 2, completed: 1, rejected: 1 });
    expect(result.stderr).toContain("1 of 2 requests was rejected; the shortest, req-0: the prompt has 500000 tokens");
    expect((await callCli("replay", longAndShort)).stdout).toContain("1 of 2 requests completed, 1 rejected");
  });

  test("arrivals out of order are sorted, and said", async () => {
    const result = await callCli("replay", unsorted, "--format", "csv");
    expect(result.exitCode).toBe(0);
    expect(result.stderr).toContain("note: arrivals are not in order; requests were sorted");
    const arrivals = result.stdout.trim().split("\n").slice(1);
    expect(arrivals.map((line) => line.split(",")[6])).toEqual(["1", "3"]);
  });

  test("a GPU without kernel measurements is priced from a relative, and said", async () => {
    const result = await callCli("step", "--batch", "decode:1@100", "--gpu", "L4", "--max-model-len", "8192");
    expect(result.exitCode).toBe(0);
    expect(result.stderr).toContain("no kernel measurements of L4");
  });
});
