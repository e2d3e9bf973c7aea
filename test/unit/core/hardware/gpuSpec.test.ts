import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import { ConfigError } from "../../../../src/core/errors/simulationError.js";
import { resolveGpuId } from "../../../../src/core/hardware/gpuCatalog.js";
import { parseGpuSpec } from "../../../../src/core/hardware/gpuSpecSchema.js";
import { defaultBatchLimits, isLargeMemoryClass } from "../../../../src/core/hardware/memoryClass.js";

const folder = fileURLToPath(new URL("../../../../configs/hardware", import.meta.url));
const gpus = readdirSync(folder).map((file) =>
  parseGpuSpec(JSON.parse(readFileSync(join(folder, file), "utf8")), file),
);

function issuesOf(run: () => unknown): readonly string[] {
  try {
    run();
  } catch (error) {
    if (error instanceof ConfigError) return error.issues.map((issue) => issue.path);
    throw error;
  }
  throw new Error("nothing was thrown");
}

describe("built-in GPUs", () => {
  it("are the ones promised, each once under every name", () => {
    const promised = "H100 H100-PCIe H200 A100-40 A100-80 L40S L4 A10G RTX4090 H20 H800 B200 GB200";
    expect(gpus.map((gpu) => gpu.id).sort()).toEqual(promised.split(" ").sort());
    const names = gpus.flatMap((gpu) => [gpu.id, gpu.name, ...gpu.aliases]).map((name) => name.toLowerCase());
    expect(new Set(names).size).toBe(names.length);
  });

  it("have dense peaks: fp8 twice bf16, and a balance no chip exceeds", () => {
    for (const { id, compute, memory } of gpus) {
      if (compute.fp8FlopsPerS !== null) expect(compute.fp8FlopsPerS / compute.bf16FlopsPerS, id).toBeCloseTo(2, 1);
      const flopsPerByte = compute.bf16FlopsPerS / memory.bandwidthBytesPerS;
      expect(flopsPerByte, id).toBeGreaterThan(30);
      expect(flopsPerByte, id).toBeLessThan(500);
    }
  });

  it("are found by any name, without regard to case; a near miss is suggested", () => {
    expect(resolveGpuId("h100-sxm", gpus).id).toBe("H100");
    expect(resolveGpuId("nvidia l40s", gpus).id).toBe("L40S");
    expect(() => resolveGpuId("H10O", gpus)).toThrow(/did you mean H100\?.*must be one of/);
    expect(() => resolveGpuId("abacus-of-wood", gpus)).toThrow(/^--gpu: got "abacus-of-wood"; must be one of/);
  });
});

describe("isLargeMemoryClass", () => {
  it("takes 70 GiB and more, A100 excepted, as vLLM does", () => {
    const large = gpus.filter(isLargeMemoryClass).map((gpu) => gpu.id);
    expect(large.sort()).toEqual(["B200", "GB200", "H100", "H100-PCIe", "H20", "H200", "H800"]);
    expect(defaultBatchLimits(resolveGpuId("H100", gpus))).toEqual({ maxNumBatchedTokens: 8192, maxNumSeqs: 1024 });
    expect(defaultBatchLimits(resolveGpuId("A100-80", gpus))).toEqual({ maxNumBatchedTokens: 2048, maxNumSeqs: 256 });
  });
});

describe("parseGpuSpec", () => {
  const h100 = JSON.parse(readFileSync(join(folder, "h100.json"), "utf8"));

  it("lists every problem of a file with its path", () => {
    const broken = {
      ...h100,
      memory: { ...h100.memory, capacityBytes: 80, bandwithBytesPerS: 1 },
      compute: { ...h100.compute, source: undefined, bf16FlopsPerS: "989.5" },
      interconnect: { ...h100.interconnect, kind: "ethernet" },
    };
    expect([...issuesOf(() => parseGpuSpec(broken, "my-gpu.json"))].sort()).toEqual([
      "my-gpu.json.compute.bf16FlopsPerS",
      "my-gpu.json.compute.source",
      "my-gpu.json.interconnect.kind",
      "my-gpu.json.memory.bandwithBytesPerS",
      "my-gpu.json.memory.capacityBytes",
    ]);
  });

  it.each([Number.NaN, Number.POSITIVE_INFINITY, -1, null, "3.35e12"])("refuses %s as a bandwidth", (value) => {
    const broken = { ...h100, memory: { ...h100.memory, bandwidthBytesPerS: value } };
    expect(issuesOf(() => parseGpuSpec(broken, "x"))).toEqual(["x.memory.bandwidthBytesPerS"]);
  });
});
