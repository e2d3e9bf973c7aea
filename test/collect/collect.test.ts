import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import { parseConfig } from "../../src/core/config/parseConfig.js";
import { parseBatch } from "../../src/core/engine/explainStep.js";
import { runConfigSchema } from "../../src/core/engine/runConfig.js";
import { checkBenchData } from "../../src/io/benchData/checkBenchData.js";
import { readBenchData } from "../../src/io/benchData/readBenchData.js";
import { loadGpu } from "../../src/io/catalog.js";
import { characterizeGpu } from "../../src/io/characterization/characterizeGpu.js";
import { temporaryFolder } from "../reference/temporaryFile.js";

const HERE = fileURLToPath(new URL(".", import.meta.url));
const PROGRAM = join(HERE, "..", "..", "bench_data", "collect", "collect.py");
const PYTHON = process.env.ROOFSERVE_PYTHON ?? "python3";
const LEAST_PYTHON = [3, 10];
/** Triton's interpreter takes its time on a busy machine. */
const SELF_TEST_MS = 600_000;

function python(...args: string[]) {
  const env = { ...process.env, PYTHONDONTWRITEBYTECODE: "1", PYTHONWARNINGS: "ignore" };
  return spawnSync(PYTHON, args, { encoding: "utf8", env, cwd: HERE });
}

const version = python("-c", "import sys; print(*sys.version_info[:2])").stdout?.split(" ").map(Number);
const hasPython =
  version !== undefined && version[0] === LEAST_PYTHON[0] && (version[1] ?? 0) >= (LEAST_PYTHON[1] ?? 0);
const hasTorch = hasPython && python("-c", "import torch").status === 0;
const { folder, write } = temporaryFolder();

describe.skipIf(!hasPython)("the measuring program (skipped without Python 3.10; ROOFSERVE_PYTHON names one)", () => {
  it("passes its own unit tests; those that need PyTorch or Triton skip without", { timeout: SELF_TEST_MS }, () => {
    const { status, stderr } = python("-m", "unittest", "discover", "-s", HERE, "-p", "test_*.py");
    expect(stderr).toMatch(/Ran [1-9]\d* tests/);
    expect(status, stderr).toBe(0);
  });

  it("says what a wrong argument is, and asks for a folder", () => {
    expect(python(PROGRAM, "--out", folder, "--suite", "gem").stderr).toContain("must be of bandwidth, launch_gap");
    const { status, stderr } = python(PROGRAM);
    expect(status).toBe(2);
    expect(stderr).toContain("--out: say where the tables go");
  });
});

describe.skipIf(!hasTorch)("the measuring program's self-test (skipped without PyTorch)", () => {
  const out = join(folder, "collected");

  it("finds every kernel right and writes every row", { timeout: SELF_TEST_MS }, () => {
    const { status, stdout, stderr } = python(PROGRAM, "--self-test", "--out", out);
    expect(status, stdout + stderr).toBe(0);
    expect(stdout).toMatch(/passed: \d+ rows written/);
  });

  it("writes tables that roofserve accepts and does not take for measurements", () => {
    const { tables, severity } = checkBenchData(out, []);
    expect(new Set(tables.map(({ family }) => family))).toEqual(
      new Set(["gemm", "grouped_gemm/decode", "grouped_gemm/prefill", "mha/decode", "mha/prefill"]),
    );
    const complaints = tables.flatMap(({ findings }) => findings).filter(({ kind }) => kind !== "unknown-gpu");
    expect(complaints.filter(({ severity: own }) => own !== "note")).toEqual([]);
    expect(severity).not.toBe("error");
    const { gemm, decodeAttention, prefillAttention, groupedGemm } = readBenchData(out, loadGpu(selfTestGpu())).tables;
    for (const rows of [gemm, decodeAttention, prefillAttention, groupedGemm]) {
      expect(rows.length).toBeGreaterThan(1);
      expect(rows.every(({ source }) => source === "modelled")).toBe(true);
    }
    expect(prefillAttention.some(({ contextLen }) => contextLen > 0)).toBe(true);
    expect(prefillAttention.some(({ batchSize }) => batchSize > 1)).toBe(true);
  });

  it("writes micro-benchmarks that roofserve can fit, and finds in them what the self-test's clock put in", () => {
    const config = parseConfig(runConfigSchema.omit({ workload: true }), { gpu: selfTestGpu() }, "");
    const { characterization } = characterizeGpu(out, config);
    expect(characterization.launchGap?.us).toBeCloseTo(1, 2);
    for (const pattern of ["sequential", "scattered", "mixed"] as const) {
      expect(characterization[pattern]?.fraction, pattern).toBeCloseTo(0.75, 1);
    }
  });

  it("writes steps that roofserve can be asked for", () => {
    const { schema, steps } = JSON.parse(readFileSync(join(out, "whole_step", "self-test.json"), "utf8"));
    expect(schema).toBe("roofserve.wholeSteps/1");
    expect(steps.length).toBeGreaterThan(3);
    for (const step of steps) {
      const tokens = step.requests.reduce(
        (sum: number, { count, newTokens }: StepRequests) => sum + count * newTokens,
        0,
      );
      const asked = parseBatch(step.batch).reduce((sum, row) => sum + row.count, 0);
      expect(asked).toBe(tokens);
      expect(step.paddedTokens).toBe(tokens);
      expect(step.latencyUs).toBeGreaterThan(0);
    }
  });

  it("does not pass again in a folder where nothing is left to test, and refuses another GPU's", {
    timeout: SELF_TEST_MS,
  }, () => {
    const again = python(PROGRAM, "--self-test", "--out", out);
    expect(again.status).toBe(2);
    expect(again.stdout).toContain("nothing was left to test");
    const sidecar = join(out, "collected.json");
    const document = JSON.parse(readFileSync(sidecar, "utf8"));
    expect(document.sessions.map(({ stopped }: { stopped: string }) => stopped)).toEqual(["all rows are there"]);
    write("collected/collected.json", JSON.stringify({ ...document, device: { name: "another" } }));
    const refused = python(PROGRAM, "--self-test", "--out", out);
    expect(refused.status).toBe(2);
    expect(refused.stderr).toContain("measured with another device");
  });
});

describe.skipIf(!hasTorch)("a self-test that its budget ends (skipped without PyTorch)", () => {
  it("neither passed nor found anything wrong", { timeout: SELF_TEST_MS }, () => {
    const { status, stdout } = python(PROGRAM, "--self-test", "--out", join(folder, "short"), "--budget-s", "1");
    expect(status).toBe(3);
    expect(stdout).toMatch(
      /NOT FINISHED: stopped by the budget, nothing failed so far; 0 rows written to .*, \d+ missing/,
    );
    expect(stdout).not.toContain("FAILED");
  });
});

interface StepRequests {
  readonly count: number;
  readonly newTokens: number;
}

/** A GPU that the self-test's clock could be: a tiny L2, and a third more bandwidth than the clock knows. */
function selfTestGpu(): string {
  const spec = structuredClone(loadGpu("H100"));
  const memory = { ...spec.memory, l2Bytes: 100_000, bandwidthBytesPerS: 4e12 };
  return write("self-test.json", JSON.stringify({ ...spec, id: "Self-Test", name: "self-test", aliases: [], memory }));
}
