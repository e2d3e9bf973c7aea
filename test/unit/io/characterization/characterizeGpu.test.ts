import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { parseConfig } from "../../../../src/core/config/parseConfig.js";
import { pricingConfigSchema } from "../../../../src/core/config/pricingConfig.js";
import { runConfigSchema } from "../../../../src/core/engine/runConfig.js";
import { ACCESS_PATTERNS } from "../../../../src/core/kernels/characterization/characterization.js";
import { loadGpu } from "../../../../src/io/catalog.js";
import {
  readCharacterization,
  writeCharacterization,
} from "../../../../src/io/characterization/characterizationFile.js";
import { characterizeGpu } from "../../../../src/io/characterization/characterizeGpu.js";
import { loadDeployment } from "../../../../src/io/loadDeployment.js";
import { type MemoryTruth, microBenchmarkCsv } from "../../../reference/microBenchmarks.js";
import { temporaryFolder } from "../../../reference/temporaryFile.js";

const { folder, write } = temporaryFolder();
const MEASURING_ERRORS = { noise: 0.02, outlierShare: 0.1 };
const TRUTH: MemoryTruth = {
  sequential: 0.87,
  scattered: 0.78,
  mixed: 0.82,
  blockBytes: 32_768,
  launchUs: 4,
  kernelUs: 3,
  launchGapUs: 0.6,
};

function characterize(gpuId: string, truth: MemoryTruth, seed: number, over: object = {}) {
  const csv = microBenchmarkCsv(loadGpu(gpuId), truth, MEASURING_ERRORS, seed);
  const path = write(`${gpuId}-${seed}.csv`, csv);
  const config = parseConfig(runConfigSchema.omit({ workload: true }), { gpu: gpuId, ...over }, "");
  return characterizeGpu(path, config);
}

describe("characterizeGpu", () => {
  it.each([
    ["H100", 1],
    ["L4", 2],
    ["B200", 3],
    ["A10G", 4],
  ] as const)("recovers the truth behind noisy, disturbed and cached measurements of %s", (gpuId, seed) => {
    const { characterization } = characterize(gpuId, TRUTH, seed);
    for (const pattern of ACCESS_PATTERNS) {
      const { fraction, numCachedRows } = characterization[pattern]!;
      expect(Math.abs(fraction / TRUTH[pattern] - 1), pattern).toBeLessThan(0.02);
      expect(numCachedRows, pattern).toBeGreaterThan(0);
    }
    expect(Math.abs(characterization.launchGap!.us - TRUTH.launchGapUs)).toBeLessThan(0.08);
    expect(characterization.source).toBe("a test");
  });

  it("shows longer steps where memory is slower, and shorter ones where it is faster", () => {
    const slower = characterize("H100", { ...TRUTH, sequential: 0.7, scattered: 0.6, mixed: 0.6 }, 11);
    for (const { batch, stepUsBefore, stepUsAfter } of slower.steps.filter(({ batch }) => batch.startsWith("decode"))) {
      expect(stepUsAfter, batch).toBeGreaterThan(stepUsBefore);
    }
    const faster = characterize("A10G", { ...TRUTH, sequential: 0.95, scattered: 0.95, mixed: 0.95 }, 12);
    for (const { batch, stepUsBefore, stepUsAfter } of faster.steps) {
      expect(stepUsAfter, batch).toBeLessThan(stepUsBefore);
    }
  });

  it("changes a prefill, whose products compute binds, by little: its norms and activations only", () => {
    const { steps } = characterize("H100", { ...TRUTH, sequential: 0.7, scattered: 0.6, mixed: 0.6 }, 11);
    const change = (kind: string) => {
      const { stepUsBefore, stepUsAfter } = steps.find(({ batch }) => batch.startsWith(kind))!;
      return stepUsAfter / stepUsBefore - 1;
    };
    expect(change("decode:32@8192")).toBeGreaterThan(0.2);
    expect(Math.abs(change("prefill"))).toBeLessThan(change("decode:32@8192") / 4);
  });

  it("multiplies the launch gap by the kernels of the model's layers", () => {
    for (const [model, kernels] of [
      ["meta-llama/Llama-3.1-8B", 9 + 4 / 32],
      ["Qwen/Qwen3-8B", 10 + 4 / 36],
    ] as const) {
      const { kernelGap, characterization } = characterize("H100", TRUTH, 1, { model });
      expect(kernelGap!.handoversPerLayer).toBeCloseTo(kernels, 9);
      expect(kernelGap!.usPerLayerAfter).toBeCloseTo(kernels * characterization.launchGap!.us, 9);
      expect(kernelGap!.usPerLayerBefore).toBe(7);
    }
  });

  it("takes the block size of the served model's KV cache", () => {
    const gpu = loadGpu("H100");
    const [small, large] = [
      { ...TRUTH, blockBytes: 8192, scattered: 0.5 },
      { ...TRUTH, blockBytes: 32_768, scattered: 0.8 },
    ].map((truth) => microBenchmarkCsv(gpu, truth, MEASURING_ERRORS, 5).split("\n"));
    const path = write("blocks.csv", [...small!, ...large!.slice(1)].join("\n"));
    const scattered = (engine: object) => {
      const config = parseConfig(runConfigSchema.omit({ workload: true }), { gpu: "H100", engine }, "");
      return characterizeGpu(path, config).characterization.scattered!.blockBytes;
    };
    // 16 tokens × 8 KV heads × 128 × 2 bytes, divided by four GPUs.
    expect(scattered({ tensorParallelSize: 1 })).toBe(32_768);
    expect(scattered({ tensorParallelSize: 4 })).toBe(8192);
  });
});

describe("a characterisation file", () => {
  const { characterization } = characterize("L4", TRUTH, 2);
  const file = `${folder}/l4.json`;
  writeCharacterization(file, characterization);

  it("is read back as it was written, but for rounding", () => {
    const read = readCharacterization(file);
    expect(read.gpu).toBe("L4");
    for (const pattern of ACCESS_PATTERNS) {
      expect(read[pattern]!.fraction).toBeCloseTo(characterization[pattern]!.fraction, 11);
    }
  });

  it("prices a deployment, with its launch gap, and says what it replaced by what", () => {
    const config = { model: "meta-llama/Llama-3.1-8B", gpu: "L4" };
    const pricing = {
      stepModel: "additive",
      toggleHypotheses: null,
      calibration: null,
      characterization: file,
      kernelEfficiency: null,
    } as const;
    const { constants, notes } = loadDeployment({ ...config, pricing });
    const gapUs = characterization.launchGap!.us * (9 + 4 / 32);
    expect(constants?.waits?.kernelGapUsPerLayer).toBeCloseTo(gapUs, 9);
    expect(loadDeployment(config).constants?.waits).toBeUndefined();
    const said = notes!().join("\n");
    expect(said).toContain("priced with L40S's efficiencies");
    expect(said).toMatch(/characterisation of L4 replaces borrowed values: sequential reads 0\.80 → 0\.8[678]/);
    expect(said).toContain(`gaps between kernels 7.0 → ${gapUs.toFixed(1)} µs per layer`);
    expect(() => loadDeployment({ ...config, gpu: "H100", pricing })).toThrow(
      /characterisation of L4; must be one of H100/,
    );
  });

  it("changes what a step model corrects, and no baseline that lacks the correction", () => {
    const config = { model: "meta-llama/Llama-3.1-8B", gpu: "L40S" };
    const { characterization } = characterize("L40S", TRUTH, 2);
    const path = join(folder, "l40s.json");
    writeCharacterization(path, characterization);
    const load = (pricing: object) => {
      const parsed = parseConfig(pricingConfigSchema, { ...pricing, characterization: path }, "pricing");
      const { notes, constants } = loadDeployment({ ...config, pricing: parsed });
      return { said: notes!().join(), gapUs: constants?.waits?.kernelGapUsPerLayer };
    };
    expect(load({ stepModel: "roofline-v1" })).toEqual({
      said: expect.stringContaining("is not used"),
      gapUs: undefined,
    });
    expect(load({ stepModel: "roofline-v2" })).toEqual({
      said: expect.stringContaining("is not used"),
      gapUs: undefined,
    });
    const withoutH1 = load({ toggleHypotheses: "H1" });
    expect(withoutH1.said).not.toContain("bandwidth");
    expect(withoutH1.gapUs).toBeGreaterThan(0);
    const withoutH2 = load({ toggleHypotheses: "H2" });
    expect(withoutH2.said).toContain("bandwidth");
    expect(withoutH2.gapUs).toBeUndefined();
  });

  it("is refused when it is none, naming file, place and remedy", () => {
    const written = JSON.parse(JSON.stringify(characterization));
    const cases: [object, RegExp][] = [
      [{ schema: "roofserve.run/1" }, /column schema: .*roofserve characterize --out/],
      [
        { ...written, scattered: { ...written.scattered, fraction: 1.2 } },
        /column scattered.fraction: got 1.2; must be ≤ 1/,
      ],
      [{ ...written, scattered: { ...written.scattered, fraction: 0.5 } }, /fractions that are bytesPerS over/],
      [
        { ...written, sequential: null, scattered: null, mixed: null, launchGap: null },
        /at least one of sequential, scattered, mixed and launchGap/,
      ],
    ];
    for (const [content, says] of cases) {
      const bad = write("bad.json", JSON.stringify(content));
      expect(() => readCharacterization(bad)).toThrow(says);
    }
  });
});
