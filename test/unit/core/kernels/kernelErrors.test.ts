import { describe, expect, it } from "vitest";
import { ANCHORED_FRACTION, kernelErrors } from "../../../../src/core/kernels/kernelErrors.js";
import type { OperatorDims } from "../../../../src/core/model/operator.js";
import type { WeightDtype } from "../../../../src/core/units/dtype.js";
import { loadGpuEfficiency } from "../../../../src/io/catalog.js";
import { dimsOperator } from "../../../reference/dimsOperator.js";

const efficiency = loadGpuEfficiency("H100")!;
const errors = kernelErrors(efficiency, "H100");
const SD_PER_MAPE = Math.sqrt(Math.PI / 2) / 100;

const gemm = (m: number, weightDtype: WeightDtype = "bf16") =>
  dimsOperator({ category: "gemm", m, k: 4096, n: 4096, weightDtype });
const sd = (dims: OperatorDims) => errors.operatorSd(dimsOperator(dims), "modelled");
const allReduce = (messageBytes: number) =>
  sd({ category: "collective", collective: "all-reduce", numRanks: 2, messageBytes });

describe("errors of kernel prices", () => {
  it("are what the fits missed of shapes they had not seen, at that size of work", () => {
    const fit = efficiency.fits.find(({ family, dtype }) => family === "gemm" && dtype === "bf16")!;
    const bucket = fit.buckets.find(({ upTo }) => upTo === 64)!;
    const middle = Math.sqrt(16 * 64);
    expect(errors.operatorSd(gemm(middle), "modelled")).toBeCloseTo(bucket.shapeMapePercent! * SD_PER_MAPE, 12);
  });

  it("change with the size without jumps, and hold beyond the ends", () => {
    const sds = Array.from({ length: 400 }, (_, i) => errors.operatorSd(gemm(1.03 ** i), "modelled"));
    for (let i = 1; i < sds.length; i++) expect(Math.abs(sds[i]! - sds[i - 1]!)).toBeLessThan(0.002);
    expect(errors.operatorSd(gemm(1e6), "modelled")).toBe(errors.operatorSd(gemm(1e7), "modelled"));
    expect(errors.operatorSd(gemm(8192), "modelled")).toBeGreaterThan(2 * errors.operatorSd(gemm(16), "modelled"));
  });

  it("take fp16 for bf16, and are large for a dtype without a fit", () => {
    expect(errors.operatorSd(gemm(32, "fp16"), "modelled")).toBe(errors.operatorSd(gemm(32), "modelled"));
    expect(errors.operatorSd(gemm(32, "int4"), "modelled")).toBeCloseTo(14 * SD_PER_MAPE, 12);
  });

  it("are those of measurements for the user's tables, whatever the shape", () => {
    expect(errors.operatorSd(gemm(1), "measured")).toBe(errors.operatorSd(gemm(9999), "measured"));
  });

  it("are larger for large messages, of which two projects disagree", () => {
    expect(allReduce(2 ** 22)).toBeGreaterThan(3 * allReduce(2 ** 16));
  });

  it("are common to all kernels of a GPU that borrows its efficiencies, and of no other", () => {
    expect(errors.commonSd).toBe(0);
    expect(kernelErrors(efficiency, "H800").commonSd).toBeCloseTo(7.5 * SD_PER_MAPE, 12);
  });

  it("of values chosen on whole H100 runs are smaller there than elsewhere", () => {
    const norm = dimsOperator({ category: "norm", numTokens: 32 });
    const elsewhere = kernelErrors(efficiency, "H200").operatorSd(norm, "modelled");
    expect(errors.operatorSd(norm, "modelled")).toBeCloseTo(ANCHORED_FRACTION * elsewhere, 12);
  });

  it("are known for every fitted GPU and bucket", () => {
    for (const gpu of ["H100", "H200", "A100-80", "L40S", "B200"]) {
      for (const { buckets } of loadGpuEfficiency(gpu)!.fits) {
        expect(buckets.filter(({ upTo }) => upTo === null).length).toBeLessThanOrEqual(1);
        for (const { shapeMapePercent } of buckets) expect(shapeMapePercent ?? 1).toBeGreaterThan(0);
      }
    }
  });
});
