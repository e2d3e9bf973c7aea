import { describe, expect, it } from "vitest";
import { parseConfig } from "../../../../src/core/config/parseConfig.js";
import { pricingConfigSchema, toggledHypotheses } from "../../../../src/core/config/pricingConfig.js";

const parse = (toggleHypotheses: string) => parseConfig(pricingConfigSchema, { toggleHypotheses }, "");

describe("toggled hypotheses", () => {
  it("are the same in small letters, and stand in the config in capitals", () => {
    const pricing = parse("h5,H1");
    expect(pricing.toggleHypotheses).toBe("H5,H1");
    expect([...toggledHypotheses(pricing)]).toEqual(["H5", "H1"]);
  });

  it.each(["h7", "5", "h1 h2", "h1,", ""])("refuses %j as it was written", (text) => {
    expect(() => parse(text)).toThrow(`got ${JSON.stringify(text)}; must be hypotheses separated by commas, H1 to H6`);
  });
});
