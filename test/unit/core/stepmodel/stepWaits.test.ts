import { describe, expect, it } from "vitest";
import { FORMULA } from "../../../../src/core/kernels/kernelLookup.js";
import type { KernelModel } from "../../../../src/core/kernels/kernelModel.js";
import type { ModelArchitecture } from "../../../../src/core/model/modelArchitecture.js";
import type { Operator, OperatorDims } from "../../../../src/core/model/operator.js";
import { DEFAULT_WAITS, stepWaits } from "../../../../src/core/stepmodel/stepWaits.js";
import { loadModel } from "../../../../src/io/catalog.js";
import { dimsOperator } from "../../../reference/dimsOperator.js";

const llama = loadModel("meta-llama/Llama-3.1-8B");

/** Waits ask for no price. */
const unpriced: KernelModel = {
  price: ({ name }) => {
    throw new Error(`${name} was priced`);
  },
  lookup: () => FORMULA,
};

/** llama with every group of layers so many times. */
function deeper(times: number): ModelArchitecture {
  return { ...llama, layerGroups: llama.layerGroups.map((group) => ({ ...group, count: times * group.count })) };
}

function repeated(dims: OperatorDims, count: number): Operator {
  return { ...dimsOperator(dims), count };
}

/** `numCollectives` ≥ 1 collectives in two operators, beside operators that never wait for another rank. */
function operatorsWith(numCollectives: number): Operator[] {
  const allReduce = { category: "collective", collective: "all-reduce", numRanks: 2, messageBytes: 8192 } as const;
  return [
    repeated({ category: "gemm", m: 1, k: 64, n: 64, weightDtype: "bf16" }, 32),
    repeated(allReduce, numCollectives - 1),
    repeated({ category: "norm", numTokens: 1 }, 65),
    repeated({ ...allReduce, collective: "all-gather" }, 1),
  ];
}

function waits(tensorParallelSize: number, architecture = llama, numCollectives = 65) {
  const plan = {
    architecture,
    parallelism: { tensorParallelSize },
    dtypes: { weightDtype: "bf16", kvDtype: "bf16" },
    sampling: { sortsLogits: false },
    kernelModel: unpriced,
    captureSizes: [],
    waits: DEFAULT_WAITS,
  } as const;
  return new Map(stepWaits(plan, operatorsWith(numCollectives)).map((wait) => [wait.name, wait]));
}

const skewUs = (tensorParallelSize: number) => waits(tensorParallelSize).get("rank_skew")!.us;
const gapUs = (architecture: ModelArchitecture) => waits(1, architecture).get("kernel_gaps")!.us;

describe("the gaps between kernels", () => {
  it("are the same in every layer", () => {
    // Llama-3.1-8B has 32 layers.
    expect(waits(1).get("kernel_gaps")).toEqual({
      name: "kernel_gaps",
      us: 32 * DEFAULT_WAITS.kernelGapUsPerLayer,
      count: 32,
    });
    expect(gapUs(deeper(2))).toBe(2 * gapUs(llama));
  });

  it("sum over groups of different layers", () => {
    const [group] = llama.layerGroups as [ModelArchitecture["layerGroups"][number]];
    const mixed = { ...llama, layerGroups: [group, { ...group, count: 8, intermediateSize: 1024 }] };
    expect(gapUs(mixed)).toBe(40 * DEFAULT_WAITS.kernelGapUsPerLayer);
  });

  it("do not depend on the ranks", () => {
    expect(waits(8).get("kernel_gaps")).toEqual(waits(1).get("kernel_gaps"));
  });
});

describe("the skew of the ranks", () => {
  it("does not exist on one GPU", () => {
    expect([...waits(1).keys()]).toEqual(["kernel_gaps"]);
  });

  it("comes once per collective and doubling of the ranks", () => {
    expect(waits(2).get("rank_skew")).toEqual({
      name: "rank_skew",
      us: 65 * DEFAULT_WAITS.rankSkewUsPerDoubling,
      count: 65,
    });
    expect(skewUs(4)).toBeCloseTo(2 * skewUs(2), 9);
    expect(skewUs(8)).toBeCloseTo(3 * skewUs(2), 9);
    expect(waits(2, llama, 130).get("rank_skew")!.us).toBeCloseTo(2 * skewUs(2), 9);
  });

  it("depends on the collectives, not on the layers", () => {
    expect(waits(4, deeper(2)).get("rank_skew")).toEqual(waits(4).get("rank_skew"));
  });
});
