import { describe, expect, it } from "vitest";
import { pricedBy } from "../../../src/cli/pricedBy.js";
import { pricingConfigSchema } from "../../../src/core/config/pricingConfig.js";

const words = (pricing: object) => pricedBy({ pricing: pricingConfigSchema.parse(pricing), benchData: null });

describe("pricedBy", () => {
  it("is silent about the plain model", () => expect(words({})).toBe(""));

  it("names each toggled hypothesis once", () =>
    expect(words({ toggleHypotheses: "h1,H3,H1" })).toBe("priced by additive without H1,H3"));

  it.each([
    [{ stepModel: "roofline-v1" }, "priced by roofline-v1"],
    [{ stepModel: "roofline-v2" }, "priced by roofline-v2"],
    [{ stepModel: "roofline-v2", toggleHypotheses: "H2" }, "priced by roofline-v2 with H2, characterization l4.json"],
    [{ toggleHypotheses: "H1,H2" }, "priced by additive without H1,H2"],
    [{}, "priced by characterization l4.json"],
  ])("names a characterisation only where H1 or H2 can use it: %j", (pricing, expected) =>
    expect(words({ ...pricing, characterization: "l4.json" })).toBe(expected),
  );
});
