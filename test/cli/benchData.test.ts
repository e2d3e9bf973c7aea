import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { describe, expect, it } from "vitest";
import { transferEfficiency } from "../../src/core/kernels/transferEfficiency.js";
import { readEfficiency } from "../../src/io/benchData/efficiencyFile.js";
import { loadGpu, loadGpuEfficiency } from "../../src/io/catalog.js";
import { measuredTables, writeCollected } from "../reference/measuredTables.js";
import { temporaryFolder } from "../reference/temporaryFile.js";
import { type BadInput, callCli, expectRefusal } from "./cliCall.js";

const { folder, write } = temporaryFolder();
const h200 = loadGpu("H200");
/** An H200 whose kernels are a fifth slower than the built-in ones. */
const truth = transferEfficiency(loadGpuEfficiency("H200")!, h200, 1.2);
const collected = join(folder, "my-h200");
writeCollected(collected, measuredTables(truth, h200, 0.02, 3), "h200", "NVIDIA H200");
const set = join(folder, "tables");
const fitFile = join(folder, "h200.json");
const step = async (...args: string[]) => {
  const { stdout, stderr, exitCode } = await callCli("step", "-b", "decode:32@2048", "--format", "json", ...args);
  expect(exitCode, stderr).toBe(0);
  return { us: JSON.parse(stdout).gpuUs as number, stderr };
};
const run = (...args: string[]) =>
  callCli("run", "--profile", "constant", "--rate", "2", "--max-requests", "3", "--format", "json", ...args);

describe("from a measured folder to prices", () => {
  it("bench-data import says what the set holds and how to use it, and is the same each time", async () => {
    const { stdout, stderr, exitCode } = await callCli("bench-data", "import", collected, "--out", set);
    expect(exitCode, stderr).toBe(0);
    expect(stderr).toBe("");
    expect(stdout).toMatch(/^H200 +gemm +1 +\d+ +0$/m);
    expect(stdout).toMatch(/^H200 +mha\/decode +7 +\d+ +0$/m);
    expect(stdout).toMatch(/^covered on H200: 0 of \d+ built-in models.*; nothing for fp8 products, /m);
    expect(stdout).toMatch(/rows of H200, tables of SHA-256 [0-9a-f]{64}: in place$/m);
    const next = stdout.match(/^next: .*$/gm);
    expect(next).toEqual([
      `next: roofserve run -g H200 --bench-data ${set}`,
      `next: roofserve evaluate ${collected}/whole_step/h200.json --bench-data ${set}`,
    ]);
    const again = await callCli("bench-data", "import", collected, "--out", set, "--format", "json");
    const report = JSON.parse(again.stdout);
    expect(report).toMatchObject({ schema: "roofserve.bench-data-import/1", gpus: ["H200"], out: set });
    expect(report).toMatchObject({ former: null, isUnchanged: true });
    expect(stdout).toContain(report.sha256);
    expect(existsSync(`${set}.before-${report.sha256.slice(0, 12)}`)).toBe(false);
    expect((await callCli("bench-data", "import", collected, "--out", set)).stdout).toContain(": unchanged");
  });

  it("bench-data import lists rows that it leaves out once, and next commands that a shell takes as they are", async () => {
    const spoilt = join(folder, "my other h200");
    writeCollected(spoilt, measuredTables(truth, h200, 0, 3), "h200", "NVIDIA H200");
    const gemm = join(spoilt, "gemm/h200/data.csv");
    const lines = readFileSync(gemm, "utf8").split("\n");
    const slow = [2, 15, 28].reduce(
      (text, line) => text.with(line - 1, text[line - 1]!.replace(",bf16,", ",bf16,9")),
      lines,
    );
    writeFileSync(gemm, slow.join("\n"));
    mkdirSync(join(spoilt, "characterization/h200"), { recursive: true });
    const micro = "suite,pattern,bytes,latency_us,device\nbandwidth,sequential,1073741824,380,NVIDIA H200\n";
    writeFileSync(join(spoilt, "characterization/h200/data.csv"), micro);
    const { stdout } = await callCli("bench-data", "import", spoilt, "--out", join(folder, "other tables"));
    const about = stdout.split("\n").filter((line) => line.includes("data.csv"));
    expect(about).toEqual([
      expect.stringMatching(/^ {2}gemm\/h200\/data\.csv: contradicts others: 2, 15, 28; row 2 contradicts row 3 most$/),
    ]);
    expect(stdout).toContain(`next: roofserve characterize '${spoilt}' -g H200 --out h200-memory.json\n`);
  });

  it("bench-data lists the set with the hash by which results know it", async () => {
    const { stdout } = await callCli("bench-data", "list", set);
    const sha256 = /^tables of SHA-256 ([0-9a-f]{64})$/m.exec(stdout)![1]!;
    const { config } = JSON.parse((await run("-g", "H200", "--bench-data", set)).stdout);
    expect(config.pricing.fileSha256).toEqual({ [set]: sha256 });
  });

  it("a run says on stderr which tables price it, and in its replay that they have changed", async () => {
    const out = join(folder, "result");
    const { stderr } = await run("-g", "H200", "--bench-data", set, "--out", out);
    expect(stderr).toMatch(/note: kernels are priced from the tables in .*tables \(SHA-256 [0-9a-f]{12}…\)/);
    expect((await callCli("replay", out)).stderr).not.toContain("has changed");
    const gemm = join(set, "gemm/h200/data.csv");
    const text = readFileSync(gemm, "utf8");
    writeFileSync(gemm, text.replace(/,bf16,(\d)/, ",bf16,1$1"));
    expect((await callCli("replay", out)).stderr).toContain(`${set} has changed since the result`);
    writeFileSync(gemm, text);
  });

  it("a run from the folder as it was measured says that nobody has cleaned it, and how; from the set it does not", async () => {
    const { stderr } = await run("-g", "H200", "--bench-data", collected);
    expect(stderr).toContain(`was measured but not imported`);
    expect(stderr).toContain(`roofserve bench-data import ${collected} --out tables\n`);
    expect((await run("-g", "H200", "--bench-data", set)).stderr).not.toContain("not imported");
  });

  it("a folder of tables that a config names is looked for in the working directory, and the error says where that is", async () => {
    const config = write("priced.json", JSON.stringify({ gpu: "H200", benchData: "no such tables" }));
    const { stderr, exitCode } = await callCli("run", "--config", config);
    expect(exitCode).toBe(3);
    expect(stderr).toContain(`no such folder: looked for ${resolve("no such tables")}`);
  });

  it("a run on a GPU of a file is headed by the GPU's name", async () => {
    const spec = write("mine.json", JSON.stringify({ ...h200, id: "MyGPU" }));
    const { stdout } = await callCli("run", "-g", spec, "--max-requests", "3", "--format", "table");
    expect(stdout).toContain("on 1 × MyGPU, vLLM");
  });

  it("bench-data fit prints errors before and after, unseen shapes apart, and writes what it fitted", async () => {
    const { stdout, stderr, exitCode } = await callCli(
      ...["bench-data", "fit", "--gpu", "H200", "--data", set, "--out", fitFile],
    );
    expect(exitCode, stderr).toBe(0);
    expect(stderr).toBe(`wrote ${fitFile} (for --kernel-efficiency)\n`);
    expect(stdout).toContain("before = the built-in efficiencies of H200");
    const [before, after, unseenBefore, unseenAfter] =
      /^attention-decode +bf16 +all +\d+ +(\S+) +(\S+) +(\S+) +(\S+) +fitted$/m.exec(stdout)!.slice(1).map(Number) as [
        number,
        number,
        number,
        number,
      ];
    expect(Math.min(before, unseenBefore)).toBeGreaterThan(8);
    expect(after).toBeLessThan(2);
    expect(unseenAfter).toBeLessThan(4);
    expect(stdout).toMatch(/^gemm +bf16 +\d+ of built-in models, mean +\d+ +\d+\.\d +\d\.\d$/m);
    expect(stdout).toMatch(/^ +k \d+ × n \d+ +\d+ +\d+\.\d +\d\.\d/m);
    expect(stdout).toMatch(/^no measured rows, so what they had is kept: gemm fp8, .*attention-prefill fp8$/m);
    expect(stdout).toMatch(/^never fitted to tables, so what they had is kept: all-reduce, small kernels, sampling$/m);
    expect(readEfficiency(fitFile).gpu).toBe("H200");
    expect(readEfficiency(fitFile).source).toMatch(/^fitted by roofserve bench-data fit to tables \(tables of SHA-256/);
  });

  it("prices with the fit, and says so; the fit of one GPU is carried over to another", async () => {
    const [builtIn, fitted] = [await step("-g", "H200"), await step("-g", "H200", "--kernel-efficiency", fitFile)];
    expect(fitted.us).toBeGreaterThan(1.08 * builtIn.us);
    expect(builtIn.stderr).toBe("");
    expect(fitted.stderr).toMatch(
      /note: priced with the kernel efficiencies of .*h200\.json \(SHA-256 [0-9a-f]{12}…\)\n/,
    );
    const carried = await step("-g", "H100", "--kernel-efficiency", fitFile);
    expect(carried.us).toBeGreaterThan(fitted.us);
    expect(carried.stderr).toContain("measured on H200 and carried over to H100\n");
    const far = await step("-g", "L40S", "--kernel-efficiency", fitFile);
    expect(far.stderr).toContain("carried over to L40S, 8 % slower than its datasheet promises");
  });

  it("states the fit in a result, and claims no errors that were seen without it", async () => {
    const { config, regime } = JSON.parse((await run("-g", "H100", "--kernel-efficiency", fitFile)).stdout);
    expect(config.pricing.kernelEfficiency).toBe(fitFile);
    expect(Object.keys(config.pricing.fileSha256)).toEqual([fitFile]);
    expect(regime.seenErrors).toBeNull();
  });
});

describe("measured steps", () => {
  const steps = [
    ["decode:32@2048", 1.1],
    ["decode:1@512", 0.9],
    ["prefill:2048@0", 1],
    ["decode:16@1024,prefill:496@0", 1.02],
  ] as const;
  const wholeStep = async () => {
    const file = join(folder, "whole_step.json");
    const measured = [];
    for (const [batch, factor] of steps) {
      const { stdout } = await callCli(
        ...[
          "step",
          "-g",
          "H200",
          "-m",
          "meta-llama/Llama-3.1-8B",
          "--temperature",
          "0",
          "-b",
          batch,
          "--format",
          "json",
        ],
      );
      const { gpuUs, paddedTokens, components } = JSON.parse(stdout);
      // One CUDA graph knows nothing of the gaps that were fitted to vLLM servers.
      const gapsUs = components.find(({ name }: { name: string }) => name === "kernel_gaps").us;
      measured.push({
        ...{ model: "meta-llama/Llama-3.1-8B", layers: 32, modelLayers: 32, weightDtype: "bf16", kvDtype: "bf16" },
        ...{
          blockSize: 16,
          tensorParallelSize: 1,
          sampling: "greedy",
          batch,
          paddedTokens,
          latencyUs: (gpuUs - gapsUs) / factor,
        },
        ...{ runs: 12, kernels: {} },
      });
    }
    const content = { schema: "roofserve.wholeSteps/1", device: "NVIDIA H200", gpu: "h200", steps: measured };
    writeFileSync(file, JSON.stringify(content));
    return { file, content };
  };

  it("are evaluated by kind: errors that were planted in the step model's own times come out again", async () => {
    const { file } = await wholeStep();
    const { stdout, stderr, exitCode } = await callCli("evaluate", file, "--format", "json");
    expect(exitCode, stderr).toBe(0);
    const { schema, errors, steps: compared, kernelGaps, builtInErrors, verdict } = JSON.parse(stdout);
    expect({ kernelGaps, builtInErrors, verdict }).toEqual({ kernelGaps: "none", builtInErrors: null, verdict: null });
    expect(stderr).toContain("note: each step ran as one CUDA graph: the 7 µs a layer");
    expect(schema).toBe("roofserve.evaluate-steps/1");
    const found = compared.map(({ errorPercent }: { errorPercent: number }) => errorPercent);
    for (const [i, error] of [10, -10, 0, 2].entries()) expect(found[i]).toBeCloseTo(error, 6);
    const [all, decode, prefill, mixed] = errors;
    expect(all).toMatchObject({ kind: "all", numSteps: 4 });
    expect(all.meanApe).toBeCloseTo(5.5, 6);
    expect(decode.meanApe).toBeCloseTo(10, 6);
    expect(decode.meanError).toBeCloseTo(0, 6);
    expect(prefill.meanApe).toBeCloseTo(0, 6);
    expect(mixed.p90Ape).toBeCloseTo(2, 6);
  });

  it("are shown beside the built-in prices where others are given, with a verdict", async () => {
    const { file } = await wholeStep();
    const { stdout } = await callCli("evaluate", file, "--kernel-efficiency", fitFile);
    expect(stdout).toMatch(
      /^priced by kernel efficiencies .*h200\.json; one CUDA graph a step, no gaps between kernels\n\n\|error\| of GPU time, %/,
    );
    expect(stdout).toMatch(/^all +4 +\d+\.\d +\d+\.\d +\+\d+\.\d +5\.5 +10\.0 +\+0\.5$/m);
    expect(stdout).toMatch(
      /^meta-llama\/Llama-3\.1-8B +32 +bf16 +bf16 +decode:32@2048 +\d+\.\d +\d+\.\d +\+[12]\d\.\d +\d+\.\d +\+10\.0$/m,
    );
    expect(stdout).toMatch(
      /\n\nThese prices tell the measured steps worse than the built-in ones: mean \|error\| 5\.5 → \d+\.\d %, p90 10\.0 → .*\.\n$/,
    );
    const {
      steps: both,
      builtInErrors,
      errors,
    } = JSON.parse((await callCli("evaluate", file, "--kernel-efficiency", fitFile, "--format", "json")).stdout);
    expect(builtInErrors[0].meanApe).toBeCloseTo(5.5, 6);
    expect(errors[0].meanApe).toBeGreaterThan(builtInErrors[0].meanApe);
    expect(both[0].builtInErrorPercent).toBeCloseTo(10, 6);
    expect(both[0].builtInUs).toBeLessThan(both[0].predictedUs);
  });

  it("are priced with the gaps of a characterisation, which are a CUDA graph's own", async () => {
    const { file } = await wholeStep();
    const csv = ["suite,pattern,bytes,block_bytes,kernels,latency_us"];
    for (const kernels of [160, 320]) {
      csv.push(`launch_gap,grouped,,,${kernels},${2 * kernels}`, `launch_gap,interleaved,,,${kernels},${3 * kernels}`);
    }
    const measured = write("gaps.csv", csv.join("\n"));
    const out = join(folder, "gaps.json");
    expect((await callCli("characterize", measured, "--gpu", "H200", "--out", out)).exitCode).toBe(0);
    const { stdout, stderr } = await callCli("evaluate", file, "--characterization", out, "--format", "json");
    const { steps: priced, kernelGaps } = JSON.parse(stdout);
    expect(kernelGaps).toBe("measured");
    expect(stderr).toContain("kernels wait for each other as the characterisation measured");
    // One µs after each of the ten kernels of a layer or so.
    const gapsUs = priced[0].predictedUs - priced[0].builtInUs;
    expect(gapsUs / 32).toBeGreaterThan(7);
    expect(gapsUs / 32).toBeLessThan(14);
  });

  it("are found in a measured folder", async () => {
    const { content } = await wholeStep();
    const measured = join(folder, "with-steps");
    mkdirSync(join(measured, "whole_step"), { recursive: true });
    const path = join(measured, "whole_step", "h200.json");
    writeFileSync(path, JSON.stringify(content));
    for (const place of [measured, join(measured, "whole_step")]) {
      const { stdout, stderr } = await callCli("evaluate", place, "--format", "json");
      expect(
        JSON.parse(stdout || "{}").steps?.map(({ file }: { file: string }) => file),
        stderr,
      ).toEqual(content.steps.map(() => path));
    }
  });

  it("that were not repeatable are counted, and the errors shown without them", async () => {
    const { content } = await wholeStep();
    const [first, ...others] = content.steps;
    const noisy = { ...content, steps: [{ ...first, repeatabilityFraction: 0.2 }, ...others] };
    const file = write("noisy.json", JSON.stringify(noisy));
    const { stdout, stderr } = await callCli("evaluate", file);
    expect(stderr).toContain("note: 1 of 4 steps were not repeatable within 5 %");
    expect(stdout).toMatch(/^all +4 +5\.5 /m);
    expect(stdout).toMatch(/^all but 1 not repeatable +3 +4\.0 /m);
    const { repeatableErrors } = JSON.parse((await callCli("evaluate", file, "--format", "json")).stdout);
    expect(repeatableErrors[0]).toMatchObject({ kind: "all", numSteps: 3 });
  });

  it("are refused with options that contradict what was measured, and taken with those that repeat it", async () => {
    const { file } = await wholeStep();
    await expectRefusal([["evaluate", file, "--tp", "2"], 2, ["--tensor-parallel-size", "measured on 1 GPU"]]);
    await expectRefusal([["evaluate", file, "--kv-cache-dtype", "fp8"], 2, ["--kv-cache-dtype", "KV cache of bf16"]]);
    await expectRefusal([["evaluate", file, "--quantization", "fp8"], 2, ["--quantization", "bf16 weights"]]);
    await expectRefusal([["evaluate", file, "--block-size", "32"], 2, ["--block-size", "blocks of 16 tokens"]]);
    await expectRefusal([["evaluate", file, "-m", "Qwen/Qwen3-8B"], 2, ["--model", "meta-llama/Llama-3.1-8B"]]);
    await expectRefusal([["evaluate", file, "--temperature", "1"], 2, ["--temperature", "greedy"]]);
    await expectRefusal([["evaluate", file, "--calibration", "any.json"], 2, ["--calibration", "without a server"]]);
    const repeated = ["-g", "h200", "-m", "llama-3.1-8b", "--tp", "1", "--kv-cache-dtype", "bfloat16"];
    const { exitCode, stderr } = await callCli("evaluate", file, ...repeated, "--temperature", "0");
    expect(exitCode, stderr).toBe(0);
  });

  it("of a model with fewer layers are priced with these, and unpadded steps are pointed out", async () => {
    const { file, content } = await wholeStep();
    const [first] = content.steps;
    const cut = { ...content, steps: [{ ...first, layers: 8, paddedTokens: 31 }] };
    writeFileSync(file, JSON.stringify(cut));
    const { stdout, stderr } = await callCli("evaluate", file, "--format", "json");
    const { predictedUs } = JSON.parse(stdout).steps[0];
    expect(predictedUs).toBeLessThan(0.5 * 1.1 * first!.latencyUs);
    expect(predictedUs).toBeGreaterThan(0.25 * 1.1 * first!.latencyUs);
    expect(stderr).toContain("1 of 1 steps were measured without the padding");
  });

  it("are refused beside runs, on another GPU and with options that need runs", async () => {
    const { file } = await wholeStep();
    await expectRefusal([["evaluate", file, set], 2, ["steps and runs are evaluated apart"]]);
    await expectRefusal([["evaluate", file, "--gpu", "A100-80"], 2, ["the steps were measured on h200"]]);
    await expectRefusal([["evaluate", file, "--compare"], 2, ["--compare", "needs runs", "unasked"]]);
    const bad = write("bad.json", '{"schema": "roofserve.wholeSteps/1", "device": "x", "gpu": "h200", "steps": []}');
    await expectRefusal([["evaluate", bad], 3, ["steps", "whole_step/<gpu>.json"]]);
  });

  it("are refused by file and step where they cannot be a step of the model, or nothing was measured", async () => {
    const { content } = await wholeStep();
    const [first, second] = content.steps;
    const refused = (name: string, changed: object, says: string[]) =>
      expectRefusal([["evaluate", write(name, JSON.stringify({ ...content, ...changed }))], 3, [name, ...says]]);
    const withSecond = (edit: object) => ({ steps: [first, { ...second, ...edit }] });
    await refused("batch.json", withSecond({ batch: "decode:0@5" }), ["steps[1]", "decode:0@5", "must look like"]);
    await refused("long.json", withSecond({ batch: "decode:1@200000" }), ["steps[1]", "200001 tokens", "131072"]);
    await refused("deep.json", withSecond({ layers: 40 }), ["steps[1]", "40 layers"]);
    await refused("self-test.json", { device: "cpu" }, ["self-test", "measures nothing"]);
  });
});

describe("what cannot be imported or fitted", () => {
  const modelled = "bench_data";
  const gemmOnly = join(folder, "few");
  mkdirSync(join(gemmOnly, "gemm/h200"), { recursive: true });
  writeFileSync(join(gemmOnly, "gemm/h200/data.csv"), "m,k,n,dtype,latency_us\n1,4096,4096,bf16,12\n");
  const unwritten = join(folder, "unwritten.json");
  const fit = ["bench-data", "fit", "--gpu", "H200", "--out", unwritten];

  it.each<BadInput>([
    [[...fit, "--data", modelled], 3, ["no measured products", "modelled rows"]],
    [[...fit, "--data", gemmOnly], 3, ["gemm bf16: 1 usable rows; a fit needs 60", "measure more shapes"]],
    [[...fit, "--data", join(folder, "absent")], 3, ["no such folder"]],
    [["bench-data", "fit", "--gpu", "L4", "--data", collected], 3, ["no kernel tables of L4", "h200"]],
    [["bench-data", "fit", "--gpu", "H200"], 2, ["--data"]],
    [["bench-data", "import", collected], 2, ["--out"]],
    [
      ["bench-data", "import", collected, "--out", set, "--vllm-version", "0.14"],
      2,
      ["--vllm-version", "only aiconfigurator"],
    ],
    [["bench-data", "import", "aiconfigurator", "--out", set], 2, ["checkout"]],
    [
      ["step", "-b", "decode:1", "--kernel-efficiency", join(collected, "collected.json")],
      3,
      ["schema", "bench-data fit"],
    ],
    [["step", "-b", "decode:1", "--kernel-efficiency", unwritten], 3, ["no such file"]],
  ])("is refused with a reason and a remedy, and nothing is written (case %#)", async (...bad) => {
    await expectRefusal(bad);
    expect(existsSync(unwritten)).toBe(false);
  });
});
