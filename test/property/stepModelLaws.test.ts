import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { PrefillChunk } from "../../src/core/model/operator.js";
import { AdditiveStepModel } from "../../src/core/stepmodel/additiveStepModel.js";
import {
  chunkRow,
  decodeRows,
  type PricedPlan,
  prefillRows,
  pricedPlan,
  type StepRows,
  spread,
  stepRows,
  stepUs,
  toBatch,
} from "./stepModelArbitraries.js";

const SETTINGS = { seed: 20260221, numRuns: 500 };
/** Equal prices may differ by the order of their sums. */
const ROUNDING = 1 - 1e-9;
/** Measured all-reduces over PCIe rise a little faster than their bytes. */
const SUPERLINEAR = 1.01;

const decodes = (decodeContexts: readonly number[]): StepRows => ({ decodeContexts, chunks: [] });
const prefills = (chunks: readonly PrefillChunk[]): StepRows => ({ decodeContexts: [], chunks });

/** µs of all attention of a step. */
function attentionUs(model: AdditiveStepModel, rows: StepRows): number {
  const { components } = model.breakdown(toBatch(rows));
  return components.reduce(
    (sum, { operator, us }) =>
      sum + (operator.name.startsWith("attention_") && operator.dims.category.startsWith("attention-") ? us : 0),
    0,
  );
}

describe("a step takes no less time", () => {
  it("with one more decode of the same context", () => {
    const anyContext = fc.oneof(fc.constant(0), spread(1, 100_000));
    fc.assert(
      fc.property(pricedPlan, spread(1, 600), anyContext, ({ model, label }, count, context) => {
        const fewer = stepUs(model, decodes(new Array<number>(count).fill(context)));
        const more = stepUs(model, decodes(new Array<number>(count + 1).fill(context)));
        expect(more, label).toBeGreaterThanOrEqual(fewer * ROUNDING);
      }),
      SETTINGS,
    );
  });

  it("with one more decode of at least the mean context", () => {
    // A shorter one can shorten the step: the kernel model knows a batch by its sum and its mean, and finds a few long
    // rows slower than the same KV spread over more of them.
    fc.assert(
      fc.property(pricedPlan, decodeRows, spread(1, 50_000), ({ model, label }, contexts, extra) => {
        const mean = Math.ceil(contexts.reduce((sum, context) => sum + context, 0) / contexts.length);
        const more = stepUs(model, decodes([...contexts, mean + extra]));
        expect(more, label).toBeGreaterThanOrEqual(stepUs(model, decodes(contexts)) * ROUNDING);
      }),
      SETTINGS,
    );
  });

  it("with one more prefill chunk", () => {
    fc.assert(
      fc.property(pricedPlan, stepRows, chunkRow, ({ model, label }, rows, chunk) => {
        const more = stepUs(model, { ...rows, chunks: [...rows.chunks, chunk] });
        expect(more, label).toBeGreaterThanOrEqual(stepUs(model, rows) * ROUNDING);
      }),
      SETTINGS,
    );
  });

  it("with a longer context of one decode", () => {
    fc.assert(
      fc.property(pricedPlan, decodeRows, spread(1, 50_000), ({ model, label }, contexts, growth) => {
        const [first, ...rest] = contexts as [number, ...number[]];
        const longer = stepUs(model, decodes([first + growth, ...rest]));
        expect(longer, label).toBeGreaterThanOrEqual(stepUs(model, decodes(contexts)) * ROUNDING);
      }),
      SETTINGS,
    );
  });

  it("with more new tokens, or a longer context, of one chunk", () => {
    fc.assert(
      fc.property(pricedPlan, prefillRows, spread(1, 4000), ({ model, label }, chunks, growth) => {
        const [{ newTokens, contextTokens }, ...rest] = chunks as [PrefillChunk, ...PrefillChunk[]];
        const before = stepUs(model, prefills(chunks)) * ROUNDING;
        const larger = prefills([{ newTokens: newTokens + growth, contextTokens }, ...rest]);
        expect(stepUs(model, larger), label).toBeGreaterThanOrEqual(before);
        const later = prefills([{ newTokens, contextTokens: contextTokens + growth }, ...rest]);
        expect(stepUs(model, later), label).toBeGreaterThanOrEqual(before);
      }),
      SETTINGS,
    );
  });
});

describe("splitting and mixing", () => {
  const splitCase = fc.record({
    newTokens: spread(2, 16_384),
    contextTokens: fc.oneof(fc.constant(0), spread(1, 60_000)),
    at: fc.double({ min: 0.01, max: 0.99, noNaN: true }),
  });

  it("two chunks never pay less attention than one, whatever decodes run beside them", () => {
    const besides = fc.oneof(fc.constant([]), decodeRows);
    fc.assert(
      fc.property(pricedPlan, splitCase, besides, ({ model, label }, split, decodeContexts) => {
        const { newTokens, contextTokens, at } = split;
        const head = Math.max(1, Math.min(newTokens - 1, Math.round(newTokens * at)));
        const attention = (chunk: PrefillChunk) => attentionUs(model, { decodeContexts, chunks: [chunk] });
        const whole = attention({ newTokens, contextTokens });
        const parts =
          attention({ newTokens: head, contextTokens }) +
          attention({ newTokens: newTokens - head, contextTokens: contextTokens + head });
        expect(parts, label).toBeGreaterThanOrEqual(whole * ROUNDING);
      }),
      SETTINGS,
    );
  });

  it("a mixed step lies between the longer of its parts and the two as separate steps", () => {
    fc.assert(
      fc.property(pricedPlan, decodeRows, prefillRows, ({ model, plan, label }, decodeContexts, chunks) => {
        const mix = { decodeContexts, chunks };
        const decode = stepUs(model, decodes(decodeContexts));
        const prefill = stepUs(model, prefills(chunks));
        expect(stepUs(model, mix), label).toBeGreaterThanOrEqual(Math.max(decode, prefill) * ROUNDING);
        // The mix may be padded where its parts were not: only what it computes is held against them.
        const eager = new AdditiveStepModel({ ...plan, captureSizes: [] });
        expect(stepUs(eager, mix), label).toBeLessThanOrEqual((decode + prefill) * SUPERLINEAR);
      }),
      SETTINGS,
    );
  });

  it("collectives cost something on several GPUs and do not exist on one", () => {
    fc.assert(
      fc.property(pricedPlan, stepRows, ({ model, plan, label }, rows) => {
        const collectives = model
          .breakdown(toBatch(rows))
          .components.filter(({ operator }) => operator.dims.category === "collective");
        expect(collectives.length > 0, label).toBe(plan.parallelism.tensorParallelSize > 1);
        for (const { us } of collectives) expect(us, label).toBeGreaterThan(0);
      }),
      SETTINGS,
    );
  });
});

describe("the two ways to ask", () => {
  it("the total, its components and the breakdown are one price", () => {
    fc.assert(
      fc.property(pricedPlan, stepRows, ({ model, label }, rows) => {
        const componentsUs = new Float64Array(model.componentNames.length).fill(1);
        const total = model.gpuUs(toBatch(rows), componentsUs);
        const added = componentsUs.reduce((sum, us) => sum + us, -componentsUs.length);
        expect(Math.abs(added / total - 1), label).toBeLessThan(1e-9);
        for (const { operator, us } of model.breakdown(toBatch(rows)).components) {
          const slot = model.componentNames.indexOf(operator.name);
          expect(slot, operator.name).toBeGreaterThanOrEqual(0);
          expect(Math.abs(componentsUs[slot]! - 1 - us), operator.name).toBeLessThanOrEqual(1e-9 * total);
        }
      }),
      SETTINGS,
    );
  });

  it("what was priced before does not matter", () => {
    const several = fc.array(stepRows, { minLength: 2, maxLength: 6 });
    const inOrder = ({ plan }: PricedPlan, list: readonly StepRows[]) => {
      const model = new AdditiveStepModel(plan);
      return list.map((rows) => stepUs(model, rows));
    };
    fc.assert(
      fc.property(pricedPlan, several, (priced, list) => {
        const forwards = inOrder(priced, list);
        expect(inOrder(priced, [...list].reverse()).reverse()).toEqual(forwards);
        expect(list.map((rows) => inOrder(priced, [rows])[0])).toEqual(forwards);
      }),
      { ...SETTINGS, numRuns: 100 },
    );
  });
});
