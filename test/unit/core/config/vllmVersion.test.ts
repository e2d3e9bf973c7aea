import { describe, expect, it } from "vitest";
import { nearestVllmVersion, VLLM_VERSIONS, vllmVersionTraits } from "../../../../src/core/config/vllmVersion.js";

describe("a vLLM release", () => {
  it.each([
    ["0.11.0", "0.11.0"],
    ["v0.11.0", "0.11.0"],
    ["0.11", "0.11.0"],
    ["0.11.1", "0.11.1"],
    ["0.11.2", "0.11.1"],
    ["0.12.0", "0.12"],
    ["0.13.5", "0.13"],
    ["0.14.0rc2", "0.14"],
    ["0.15.1", "0.15"],
    ["v0.15.1.dev12+gabcdef", "0.15"],
    ["0.16.2", "0.15"],
    ["0.17", "0.15"],
    ["0.18.0", "0.18"],
    ["0.100.0", "0.18"],
    ["1.0.0", "0.18"],
    [" 0.15 ", "0.15"],
  ])("%s behaves as %s", (text, listed) => {
    expect(nearestVllmVersion(text)).toBe(listed);
  });

  it.each(["0.10.2", "0.9.0", "0.0.0", "", "latest", "main", "fifteen"])("%j is none we know", (text) => {
    expect(nearestVllmVersion(text)).toBeNull();
  });

  it("is itself where it is listed", () => {
    for (const version of VLLM_VERSIONS) expect(nearestVllmVersion(version)).toBe(version);
  });

  it("schedules asynchronously by default from 0.14, and skips no head from 0.12", () => {
    const traits = VLLM_VERSIONS.map((version) => vllmVersionTraits(version));
    expect(traits.map(({ isAsyncByDefault }) => isAsyncByDefault)).toEqual([
      false,
      false,
      false,
      false,
      true,
      true,
      true,
    ]);
    expect(traits.map(({ noChunkRule }) => noChunkRule)).toEqual([
      "skip",
      "skip",
      "stop",
      "stop",
      "stop",
      "stop",
      "stop",
    ]);
  });
});
