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
const noModels = {
  gemm: new Map(),
  "grouped-gemm": new Map(),
  "attention-decode": new Map(),
  "attention-prefill": new Map(),
};

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
    expect(gemm.verdict).toBe("too few rows");
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

describe("a fit that is no better than what is in force", () => {
  const inForce = refit(tables, { former: truth });

  it("is shown and not taken, for it tells shapes that it has not seen no better", () => {
    for (const { verdict, keptBecause, errors } of inForce.outcomes) {
      expect(verdict).toBe("not better");
      expect(keptBecause).toMatch(/^on shapes that a fit has not seen its error is no smaller: \d\.\d+ → \d\.\d+ %$/);
      const { heldOutMapePercentBefore, heldOutMapePercentAfter } = errors[0]!;
      expect(heldOutMapePercentAfter).toBeGreaterThanOrEqual(heldOutMapePercentBefore!);
    }
    expect(inForce.efficiency.gemm.bf16).toEqual(truth.gemm.bf16);
    expect(inForce.efficiency.decodeAttention).toEqual(truth.decodeAttention);
  });

  it("is taken where the caller wants the tables' own parameters", () => {
    const own = refit({ ...NO_TABLES, decodeAttention: tables.decodeAttention }, { former: truth, keepsBetter: false });
    expect(own.outcomes[0]).toMatchObject({ verdict: "fitted", keptBecause: null });
    expect(own.efficiency.decodeAttention.bf16).not.toEqual(truth.decodeAttention.bf16);
  });

  it("is not taken where it is drawn away from the shapes of built-in models by rows of another kind", () => {
    const tuned = "8 experts, top 2, hidden 4096, intermediate 14336";
    const isTuned = ({ numExperts, intermediateSize }: { numExperts: number; intermediateSize: number }) =>
      numExperts === 8 && intermediateSize === 14336;
    const known = measuredTables(former, gpu, NOISE, 2).groupedGemm;
    const groupedGemm = known.map((row) => (isTuned(row) ? row : { ...row, latencyUs: 2 * row.latencyUs }));
    const models = { ...noModels, "grouped-gemm": new Map([[tuned, ["a model"]]]) };
    const [outcome] = refit({ ...NO_TABLES, groupedGemm }, { models }).outcomes;
    const [all] = outcome!.errors;
    expect(all!.heldOutMapePercentAfter).toBeLessThan(all!.heldOutMapePercentBefore!);
    expect(outcome!.verdict).toBe("not better");
    expect(outcome!.keptBecause).toMatch(
      /^on the shapes of built-in models a fit's error is larger: .* mean of 1 shapes$/,
    );
    expect(outcome!.modelShapes).toHaveLength(1);
    expect(outcome!.modelShapes[0]).toMatchObject({ shape: tuned, models: ["a model"], numRows: 13 });
    expect(refit({ ...NO_TABLES, groupedGemm }).outcomes[0]!.verdict).toBe("fitted");
  });
});

describe("shapes", () => {
  it("are named where the fit tells them worst", () => {
    const gemm = tables.gemm.map((row) =>
      row.k === 5120 && row.n === 6144 ? { ...row, latencyUs: 3 * row.latencyUs } : row,
    );
    const [worst, next] = refit({ ...NO_TABLES, gemm }).outcomes[0]!.worstShapes;
    expect(worst).toMatchObject({ shape: "k 5120 × n 6144", models: [], numRows: 13 });
    expect(worst!.mapePercentAfter).toBeGreaterThan(2 * next!.mapePercentAfter);
  });

  it("without rows are listed by family and element type", () => {
    const { unmeasured } = refit({ ...NO_TABLES, decodeAttention: tables.decodeAttention });
    expect(unmeasured.map(({ family, dtype }) => `${family} ${dtype}`)).toEqual([
      ...["gemm bf16", "gemm fp8", "gemm int4", "grouped-gemm bf16", "grouped-gemm fp8", "grouped-gemm int4"],
      ...["attention-prefill bf16", "attention-decode fp8", "attention-prefill fp8"],
    ]);
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
