import { rmSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { fitBenchData } from "../../../../src/io/benchData/fitBenchData.js";
import { importAiconfigurator } from "../../../../src/io/benchData/importAiconfigurator.js";
import { loadGpu, loadGpuEfficiency } from "../../../../src/io/catalog.js";
import { sharedFile } from "../../../reference/sharedFile.js";
import { temporaryFolder } from "../../../reference/temporaryFile.js";

const checkout = sharedFile("kernel_data/aiconfigurator");
const { folder } = temporaryFolder();
const shipped = loadGpuEfficiency("H200")!;

/** Fits H200 to NVIDIA's tables of a vLLM version, converted by `bench-data import aiconfigurator`; some families of them. */
async function fitToConverted(vllmVersion: string, ...families: string[]) {
  const data = join(folder, vllmVersion);
  await importAiconfigurator(checkout!, data, { gpu: "H200", vllmVersion });
  for (const family of ["gemm", "grouped_gemm", "mha/prefill", "mha/decode"]) {
    if (!families.includes(family)) rmSync(join(data, family), { recursive: true });
  }
  return fitBenchData(data, loadGpu("H200"));
}

describe.skipIf(checkout === null)("a fit to NVIDIA's tables, converted (needs ../shared)", () => {
  it("finds what ships for attention, to a tenth of a percent of its errors, and keeps what ships", async () => {
    const { efficiency, outcomes, method, notes } = await fitToConverted("0.14", "mha/decode", "mha/prefill");
    expect(method).toEqual({ cacheBytes: loadGpu("H200").memory.l2Bytes, expertRouting: "dealt" });
    expect(efficiency.decodeAttention).toEqual(shipped.decodeAttention);
    expect(efficiency.source).toBe(shipped.source);
    expect(notes.join()).toMatch(/fitted to NVIDIA's tables too .*no fit is better/);
    for (const { family, dtype, verdict, errors } of outcomes) {
      expect(verdict).toBe("not better");
      const { mapePercent, heldOutMapePercent } = shipped.fits.find(
        (fit) => fit.family === family && fit.dtype === dtype,
      )!;
      expect(Math.abs(errors[0]!.mapePercentAfter - mapePercent)).toBeLessThan(0.1);
      expect(Math.abs(errors[0]!.heldOutMapePercentAfter! - heldOutMapePercent)).toBeLessThan(0.15);
    }
    expect(outcomes).toHaveLength(4);
  });

  it("keeps what ships for bf16 products, and finds a better fit of those of another version than what ships", async () => {
    const { efficiency, outcomes } = await fitToConverted("0.14", "gemm");
    const [bf16, fp8] = outcomes;
    expect(efficiency.gemm.bf16).toEqual(shipped.gemm.bf16);
    expect(efficiency.gemm.fp8).not.toEqual(shipped.gemm.fp8);
    expect([bf16!.verdict, fp8!.verdict]).toEqual(["not better", "fitted"]);
    expect(bf16!.errors[0]!.mapePercentAfter).toBeLessThan(4);
    // The table of 0.14 has a kernel that quantises the input of fp8 products; what ships is fitted to 0.19, which has not.
    expect(fp8!.errors[0]!.mapePercentBefore).toBeGreaterThan(30);
    expect(fp8!.errors[0]!.heldOutMapePercentAfter).toBeLessThan(13);
  });

  it("takes no fit to experts of which few were tuned: the shapes of built-in models would be told worse", async () => {
    const { outcomes } = await fitToConverted("0.14", "grouped_gemm");
    const bf16 = outcomes.find(({ dtype }) => dtype === "bf16")!;
    expect(bf16.errors[0]!.heldOutMapePercentAfter).toBeLessThan(bf16.errors[0]!.heldOutMapePercentBefore!);
    const larger = /^on the shapes of built-in models a fit's error is larger: (\S+) → (\S+) %/;
    const [before, after] = larger.exec(bf16.keptBecause!)!.slice(1).map(Number) as [number, number];
    expect(after).toBeGreaterThan(1.2 * before);
    const fp8 = outcomes.find(({ dtype }) => dtype === "fp8")!;
    expect(fp8.keptBecause).toMatch(/shape of a built-in model worse than any was: \S+ → \S+ %$/);
    expect(bf16.worstShapes[0]).toMatchObject({ shape: "8 experts, top 2, hidden 4096, intermediate 14336" });
    expect(bf16.worstShapes[0]!.models).toContain("mistralai/Mixtral-8x7B-v0.1");
  });
});
