import { describe, expect, it } from "vitest";
import { achievedFractions } from "../../../../../src/core/kernels/characterization/achievedFractions.js";
import { ACCESS_PATTERNS } from "../../../../../src/core/kernels/characterization/characterization.js";
import {
  bandwidthChanges,
  characterizeEfficiency,
} from "../../../../../src/core/kernels/characterization/characterizeEfficiency.js";
import { memoryFactors } from "../../../../../src/core/kernels/characterization/memoryFactors.js";
import { gpuEfficiencySchema } from "../../../../../src/core/kernels/gpuEfficiency.js";
import { transferEfficiency } from "../../../../../src/core/kernels/transferEfficiency.js";
import { loadGpu, loadGpuEfficiency } from "../../../../../src/io/catalog.js";
import { loadKernelEfficiency } from "../../../../../src/io/kernelEfficiency.js";
import { characterizationOf } from "../../../../reference/characterizations.js";

const gpu = loadGpu("H100");
const own = loadGpuEfficiency("H100")!;

describe("characterizeEfficiency", () => {
  it("changes nothing when the measured fractions are the ones in force", () => {
    const measured = characterizationOf(gpu, achievedFractions(own));
    const characterized = characterizeEfficiency(own, gpu, measured);
    for (const [i, { kernels, dtype, fraction }] of memoryFactors(characterized).entries()) {
      expect(fraction, `${kernels} ${dtype}`).toBeCloseTo(memoryFactors(own)[i]!.fraction, 12);
    }
  });

  it("changes nothing when only the launch gap was measured", () => {
    expect(characterizeEfficiency(own, gpu, characterizationOf(gpu, {}, 0.7))).toEqual(own);
  });

  it("makes large shapes reach what was measured", () => {
    const fractions = { sequential: 0.8, scattered: 0.75, mixed: 0.7 };
    const reached = achievedFractions(characterizeEfficiency(own, gpu, characterizationOf(gpu, fractions)));
    // Bending the surfaces to the new base may move them by their resolution.
    for (const pattern of ACCESS_PATTERNS) expect(reached[pattern]).toBeCloseTo(fractions[pattern], 2);
  });

  it.each([
    ["sequential", ["gemm", "groupedGemm", "elementwise", "sampler"]],
    ["scattered", ["decodeAttention", "mla"]],
    ["mixed", ["prefillAttention"]],
  ] as const)("%s bandwidth changes its kernels and no others", (pattern, families) => {
    const characterized = characterizeEfficiency(own, gpu, characterizationOf(gpu, { [pattern]: 0.6 }));
    const changed = (Object.keys(own) as (keyof typeof own)[]).filter(
      (key) => JSON.stringify(characterized[key]) !== JSON.stringify(own[key]),
    );
    expect(changed.sort()).toEqual([...families].sort());
    const factors = memoryFactors(own).map(({ fraction }, i) => memoryFactors(characterized)[i]!.fraction / fraction);
    const expected = 0.6 / achievedFractions(own)[pattern];
    for (const [i, factor] of memoryFactors(own).entries()) {
      expect(factors[i], factor.kernels).toBeCloseTo(factor.pattern === pattern ? expected : 1, 9);
    }
  });

  it("leaves arithmetic, launches and waves alone", () => {
    const { gemm, decodeAttention, prefillAttention, sampler } = characterizeEfficiency(
      own,
      gpu,
      characterizationOf(gpu, { sequential: 0.6, scattered: 0.6, mixed: 0.6 }),
    );
    expect(gemm.bf16.computeEfficiency).toBe(own.gemm.bf16.computeEfficiency);
    expect(gemm.bf16.launchUs).toBe(own.gemm.bf16.launchUs);
    expect(decodeAttention.bf16.waveUs).toBe(own.decodeAttention.bf16.waveUs);
    const arithmeticPs = (ps: readonly number[]) => ps.at(-1)! - ps[0]!;
    const { headTokenPs, tileLatencyFraction } = prefillAttention.bf16;
    expect(arithmeticPs(headTokenPs)).toBeCloseTo(arithmeticPs(own.prefillAttention.bf16.headTokenPs), 6);
    expect(tileLatencyFraction).toBe(own.prefillAttention.bf16.tileLatencyFraction);
    expect(sampler.launchUs).toBe(own.sampler.launchUs);
  });

  it("slows what is stored as a time by the same factor", () => {
    const inForce = achievedFractions(own);
    const halved = characterizationOf(gpu, { sequential: inForce.sequential / 2, mixed: inForce.mixed / 2 });
    const { sampler, prefillAttention } = characterizeEfficiency(own, gpu, halved);
    expect(sampler.sortPsPerLogit).toBeCloseTo(2 * own.sampler.sortPsPerLogit, 9);
    const { kvHeadTokenPs, headTokenPs } = prefillAttention.bf16;
    expect(kvHeadTokenPs).toBeCloseTo(2 * own.prefillAttention.bf16.kvHeadTokenPs, 9);
    expect(headTokenPs[0]).toBeCloseTo(2 * own.prefillAttention.bf16.headTokenPs[0]!, 9);
  });

  it("takes the place of a relative's guessed slowdown on the memory side, and only there", () => {
    const l4 = loadGpu("L4");
    const measured = characterizationOf(l4, { sequential: 0.8, scattered: 0.75, mixed: 0.7 });
    const [plain, slowed] = [1, 1.25].map((slowdown) =>
      characterizeEfficiency(transferEfficiency(loadGpuEfficiency("L40S")!, l4, slowdown), l4, measured),
    );
    for (const [i, { kernels, dtype, fraction }] of memoryFactors(plain!).entries()) {
      expect(memoryFactors(slowed!)[i]!.fraction / fraction, `${kernels} ${dtype}`).toBeCloseTo(1, 2);
    }
    expect(slowed!.gemm.bf16.computeEfficiency).toBeCloseTo(plain!.gemm.bf16.computeEfficiency / 1.25, 9);
  });

  it("yields a valid description, fitted or borrowed, whatever was measured", () => {
    for (const each of ["A100-80", "B200", "L4"].map(loadGpu)) {
      for (const fraction of [0.05, 1]) {
        const measured = characterizationOf(each, { sequential: fraction, scattered: fraction, mixed: fraction });
        const characterized = characterizeEfficiency(loadKernelEfficiency(each).fit, each, measured);
        expect(gpuEfficiencySchema.safeParse(characterized).success, `${each.id} ${fraction}`).toBe(true);
      }
    }
  });

  it("refuses a characterisation of another GPU, naming both", () => {
    const other = characterizationOf(loadGpu("L40S"), { sequential: 0.8 });
    expect(() => characterizeEfficiency(own, gpu, other)).toThrow(/characterisation of L40S; must be one of H100/);
  });
});

describe("bandwidthChanges", () => {
  it("lists what was measured, before and after", () => {
    const changes = bandwidthChanges(own, gpu, characterizationOf(gpu, { scattered: 0.8 }));
    expect(changes).toEqual([
      {
        pattern: "scattered",
        fractionBefore: achievedFractions(own).scattered,
        fractionAfter: expect.closeTo(0.8, 12),
      },
    ]);
  });

  it("goes by the GPU's own datasheet, should the file's differ", () => {
    const measured = characterizationOf(gpu, { sequential: 0.8 });
    const faster = { ...gpu, memory: { ...gpu.memory, bandwidthBytesPerS: 2 * gpu.memory.bandwidthBytesPerS } };
    expect(bandwidthChanges(own, faster, measured)[0]!.fractionAfter).toBeCloseTo(0.4, 12);
    const slower = { ...gpu, memory: { ...gpu.memory, bandwidthBytesPerS: gpu.memory.bandwidthBytesPerS / 2 } };
    expect(bandwidthChanges(own, slower, measured)[0]!.fractionAfter).toBe(1);
  });
});
