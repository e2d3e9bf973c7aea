import fc from "fast-check";
import { ScheduledBatch } from "../../src/core/batch/scheduledBatch.js";
import type { GpuSpec } from "../../src/core/hardware/gpuSpec.js";
import { characterizeEfficiency } from "../../src/core/kernels/characterization/characterizeEfficiency.js";
import { createEfficiencyKernelModel } from "../../src/core/kernels/efficiencyKernelModel.js";
import type { PrefillChunk } from "../../src/core/model/operator.js";
import { requireShardable } from "../../src/core/model/sharding.js";
import { AdditiveStepModel } from "../../src/core/stepmodel/additiveStepModel.js";
import { cudaGraphCaptureSizes } from "../../src/core/stepmodel/cudaGraph.js";
import type { StepModel } from "../../src/core/stepmodel/stepModel.js";
import type { StepPlan } from "../../src/core/stepmodel/stepPlan.js";
import { DEFAULT_WAITS } from "../../src/core/stepmodel/stepWaits.js";
import { loadGpuCatalog, loadModelCatalog } from "../../src/io/catalog.js";
import { loadKernelEfficiency } from "../../src/io/kernelEfficiency.js";
import { characterizationOf } from "../reference/characterizations.js";

/** A step as its rows: decodes by context before the step, prefill chunks. */
export interface StepRows {
  readonly decodeContexts: readonly number[];
  readonly chunks: readonly PrefillChunk[];
}

/** A step model with what it was made from. */
export interface PricedPlan {
  readonly label: string;
  readonly gpu: GpuSpec;
  readonly plan: StepPlan;
  readonly model: AdditiveStepModel;
}

/** Every built-in GPU with its kernel prices: its own fit, or a relative's. */
const UNMEASURED_GPUS = loadGpuCatalog().map((gpu) => {
  const { fit: efficiency, source } = loadKernelEfficiency(gpu);
  return { gpu, efficiency, kernelModel: createEfficiencyKernelModel(gpu, efficiency, source) };
});

/** Some of them with bandwidths as a characterisation would find them: better, worse, and hardly different. */
const MEASURED_GPUS = (
  [
    ["H100", { sequential: 0.93, scattered: 0.6, mixed: 0.75 }],
    ["L40S", { sequential: 0.6, scattered: 1, mixed: 0.5 }],
    ["B200", { sequential: 1, scattered: 0.9, mixed: 1 }],
    ["L4", { sequential: 0.85, scattered: 0.4, mixed: 0.9 }],
  ] as const
).map(([id, fractions]) => {
  const { gpu, efficiency } = UNMEASURED_GPUS.find((unmeasured) => unmeasured.gpu.id === id)!;
  const measured = characterizeEfficiency(efficiency, gpu, characterizationOf(gpu, fractions));
  return { gpu, kernelModel: createEfficiencyKernelModel(gpu, measured, "modelled") };
});

const GPUS = [
  ...UNMEASURED_GPUS.map((priced) => ({ ...priced, name: priced.gpu.id })),
  ...MEASURED_GPUS.map((priced) => ({ ...priced, name: `${priced.gpu.id} (characterised)` })),
];

const SHARDED_MODELS = loadModelCatalog().flatMap(({ architecture }) =>
  [1, 2, 4, 8].flatMap((tensorParallelSize) => {
    try {
      requireShardable(architecture, tensorParallelSize);
    } catch {
      return [];
    }
    return [{ architecture, tensorParallelSize }];
  }),
);

/** Any built-in model on any built-in GPU, sharded and quantised in any way. */
export const pricedPlan: fc.Arbitrary<PricedPlan> = fc
  .record({
    gpu: fc.constantFrom(...GPUS),
    sharded: fc.constantFrom(...SHARDED_MODELS),
    weightDtype: fc.constantFrom("bf16", "bf16", "fp8", "int4" as const),
    kvDtype: fc.constantFrom("bf16", "fp8" as const),
    sortsLogits: fc.boolean(),
    isEager: fc.boolean(),
  })
  .map(({ gpu: { gpu, name, kernelModel }, sharded, weightDtype, kvDtype, sortsLogits, isEager }) => {
    const { architecture, tensorParallelSize } = sharded;
    const plan: StepPlan = {
      architecture,
      parallelism: { tensorParallelSize },
      dtypes: { weightDtype, kvDtype },
      sampling: { sortsLogits },
      kernelModel,
      captureSizes: isEager ? [] : cudaGraphCaptureSizes("0.15", 1024, 8192, 0),
      waits: DEFAULT_WAITS,
    };
    const label = `${architecture.id} on ${tensorParallelSize} × ${name}, ${weightDtype} weights, ${kvDtype} KV`;
    return { label, gpu, plan, model: new AdditiveStepModel(plan), toString: () => label };
  });

/** Integers spread evenly over orders of magnitude. */
export const spread = (min: number, max: number) =>
  fc.double({ min: Math.log(min), max: Math.log(max), noNaN: true }).map((ln) => Math.round(Math.exp(ln)));

const contextTokens = fc.oneof(fc.constant(0), spread(1, 100_000));

export const decodeRows = fc
  .array(fc.record({ count: spread(1, 150), context: contextTokens }), { minLength: 1, maxLength: 3 })
  .map((groups) => groups.flatMap(({ count, context }) => new Array<number>(count).fill(context)));

export const chunkRow: fc.Arbitrary<PrefillChunk> = fc.record({ newTokens: spread(1, 8192), contextTokens });

export const prefillRows = fc.array(chunkRow, { minLength: 1, maxLength: 3 });

/** Decode-only, prefill-only and mixed steps. */
export const stepRows: fc.Arbitrary<StepRows> = fc.oneof(
  decodeRows.map((decodeContexts) => ({ decodeContexts, chunks: [] })),
  prefillRows.map((chunks) => ({ decodeContexts: [], chunks })),
  fc.record({ decodeContexts: decodeRows, chunks: prefillRows }),
);

/** Every row yields a token: chunks are the last of their prompts. */
export function toBatch({ decodeContexts, chunks }: StepRows): ScheduledBatch {
  const batch = new ScheduledBatch(decodeContexts.length + chunks.length);
  for (const context of decodeContexts) batch.push(1, context, true);
  for (const { newTokens, contextTokens } of chunks) batch.push(newTokens, contextTokens, false);
  batch.numSampled = batch.numRequests;
  return batch;
}

/** GPU µs of a step. */
export function stepUs(model: StepModel, rows: StepRows): number {
  return model.gpuUs(toBatch(rows), new Float64Array(model.componentNames.length));
}
