import { readFileSync } from "node:fs";
import { expect, it } from "vitest";
import { ROOFSERVE_VERSION } from "../../../../src/core/engine/version.js";

it("the version printed in results is the package's", () => {
  const manifest: unknown = JSON.parse(readFileSync(new URL("../../../../package.json", import.meta.url), "utf8"));
  expect(manifest).toMatchObject({ version: ROOFSERVE_VERSION });
});
