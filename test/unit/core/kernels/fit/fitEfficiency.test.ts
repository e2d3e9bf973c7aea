import { describe, expect, it } from "vitest";
import { type EfficiencyFitOptions, fitEfficiency } from "../../../../../src/core/kernels/fit/fitEfficiency.js";
import { measuredKernels } from "../../../../../src/core/kernels/fit/measuredKernels.js";
import { gpuEfficiencySchema } from "../../../../../src/core/kernels/gpuEfficiency.js";
import { type KernelTableSet, NO_TABLES } from "../../../../../src/core/kernels/tables/kernelTable.js";
import { transferEfficiency } from "../../../../../src/core/kernels/transferEfficiency.js";
import { loadGpu, loadGpuEfficiency } from "../../../../../src/io/catalog.js";
import { measuredTables } from "../../../../reference/measuredTables.js";

const gpu = loadGpu("H200");
const former = loadGpuEfficiency("H200")!;
/** Other kernels than the former ones: B200's ways on H200's roofs, and 10 % slower. */
const truth = transferEfficiency(loadGpuEfficiency("B200")!, gpu, 1.1);
const NOISE = 0.02;
const tables = measuredTables(truth, gpu, NOISE, 1);
const options: EfficiencyFitOptions = {
  former,
  source: "a test",
  method: { cacheBytes: 0, expertRouting: "drawn" },
};
const refit = (set: KernelTableSet, over: Partial<EfficiencyFitOptions> = {}) =>
  fitEfficiency(
    gpu,
    measuredKernels(set, (family) => family),
    { ...options, ...over },
  );
const fitted = refit(tables);

describe("a fit to kernels that are known", () => {
  it.each(["gemm", "grouped-gemm", "attention-decode", "attention-prefill"])(
    "finds %s again to within the noise, from efficiencies that were far off",
    (family) => {
      const { keptBecause, errors } = fitted.outcomes.find((outcome) => outcome.family === family)!;
      const [all] = errors;
      expect(keptBecause).toBeNull();
      expect(all!.mapePercentBefore).toBeGreaterThan(10);
      expect(all!.mapePercentAfter).toBeLessThan(100 * NOISE);
      expect(all!.heldOutMapePercentAfter).toBeLessThan(2 * 100 * NOISE);
    },
  );

  it("gives valid efficiencies of this GPU, the same ones each time", () => {
    expect(gpuEfficiencySchema.safeParse(fitted.efficiency).success).toBe(true);
    expect(fitted.efficiency.gpu).toBe("H200");
    expect(fitted.efficiency.reference).toEqual(former.reference);
    const again = refit({ ...NO_TABLES, decodeAttention: tables.decodeAttention });
    expect(again.efficiency.decodeAttention).toEqual(fitted.efficiency.decodeAttention);
  });

  it("reports the errors of its table where they are kept", () => {
    const { fits } = fitted.efficiency;
    const gemm = fits.find(({ family, dtype }) => family === "gemm" && dtype === "bf16")!;
    const outcome = fitted.outcomes.find(({ family }) => family === "gemm")!;
    expect(gemm.mapePercent).toBe(outcome.errors[0]!.mapePercentAfter);
    expect(gemm.buckets.map(({ bucket }) => bucket).sort()).toEqual(
      outcome.errors
        .slice(1)
        .map(({ sizeClass }) => sizeClass)
        .sort(),
    );
  });

  it("keeps what was not measured: fp8, int4 experts, collectives, small kernels", () => {
    const { efficiency } = fitted;
    expect(efficiency.gemm.fp8).toEqual(former.gemm.fp8);
    expect(efficiency.groupedGemm.int4).toEqual(former.groupedGemm.int4);
    expect(efficiency.decodeAttention.fp8).toEqual(former.decodeAttention.fp8);
    expect(efficiency.allReduce).toEqual(former.allReduce);
    expect(efficiency.elementwise).toEqual(former.elementwise);
    expect(efficiency.fits.filter(({ dtype }) => dtype !== "bf16")).toEqual(
      former.fits.filter(({ dtype }) => dtype !== "bf16"),
    );
  });
});

describe("a fit to too little", () => {
  it("keeps a family that lacks a size class, and names it", () => {
    const short = refit({ ...NO_TABLES, gemm: tables.gemm.filter(({ m }) => m <= 256) });
    const gemm = short.outcomes.find(({ family }) => family === "gemm")!;
    expect(gemm.keptBecause).toBe("fewer than 4 rows of m ≤ 1024, m > 1024");
    expect(gemm.errors[0]).toMatchObject({ heldOutMapePercentAfter: null, numRows: (8 / 13) * tables.gemm.length });
    expect(gemm.errors[0]!.mapePercentAfter).toBe(gemm.errors[0]!.mapePercentBefore);
    expect(short.efficiency.gemm).toEqual(former.gemm);
  });

  it("keeps a family with a handful of rows", () => {
    const few = refit({ ...NO_TABLES, gemm: tables.gemm.slice(0, 20) });
    expect(few.outcomes[0]!.keptBecause).toBe("20 usable rows; a fit needs 60");
    expect(few.efficiency.gemm).toEqual(former.gemm);
  });

  it("learns nothing from modelled rows", () => {
    const modelled = tables.gemm.map((row) => ({ ...row, source: "modelled" as const }));
    expect(refit({ ...NO_TABLES, gemm: modelled }).outcomes).toEqual([]);
  });

  it("holds out half of the rows where all rows are of one shape", () => {
    const decodeAttention = tables.decodeAttention
      .filter(({ numHeads, numKvHeads }) => numHeads === 8 && numKvHeads === 8)
      .flatMap((row) => [row, { ...row, kvLen: row.kvLen + 1 }]);
    const { keptBecause, errors } = refit({ ...NO_TABLES, decodeAttention }).outcomes[0]!;
    expect(keptBecause).toBeNull();
    expect(errors[0]!.heldOutMapePercentAfter).toBeLessThan(2 * 100 * NOISE);
  });
});

describe("residence in L2", () => {
  it("is assumed of benchmarks that come back to their inputs, and of no other", () => {
    const decode = { ...NO_TABLES, decodeAttention: tables.decodeAttention };
    const rowsFitted = (cacheBytes: number) =>
      refit(decode, { method: { cacheBytes, expertRouting: "drawn" } }).outcomes[0]!.errors[0]!.numRows;
    expect(rowsFitted(0)).toBe(decode.decodeAttention.length);
    expect(rowsFitted(gpu.memory.l2Bytes)).toBeLessThan(decode.decodeAttention.length);
  });
});
