import { expect, it } from "vitest";
import { printNumber } from "../../../src/cli/textTable.js";

it("gives no sign to what rounds to 0", () => {
  expect([printNumber(-0.04), printNumber(-0), printNumber(-0.06)]).toEqual(["0.0", "0.0", "-0.1"]);
});
