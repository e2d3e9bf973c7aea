import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { loadGpu } from "../../../../src/io/catalog.js";
import {
  readCharacterization,
  writeCharacterization,
} from "../../../../src/io/characterization/characterizationFile.js";
import { characterizationOf } from "../../../reference/characterizations.js";
import { temporaryFolder } from "../../../reference/temporaryFile.js";

const { folder, write } = temporaryFolder();
const characterization = characterizationOf(loadGpu("H100"), { sequential: 0.8 }, 0.4);

describe("a characterisation file", () => {
  it("reads back as it was written", () => {
    const file = join(folder, "h100.json");
    writeCharacterization(file, characterization);
    expect(readCharacterization(file)).toEqual(characterization);
  });

  it.each<[string, unknown, string]>([
    ["another schema, and hears nothing else", { schema: "roofserve.run/1" }, "column schema: got"],
    ["an unknown key", { ...characterization, extra: 1 }, "column extra: is an unknown key"],
    [
      "a fraction that is none of its own",
      { ...characterization, datasheetBytesPerS: 1 },
      "must have fractions that are bytesPerS over datasheetBytesPerS",
    ],
  ])("is refused with %s", (_what, content, message) => {
    const file = write("bad.json", JSON.stringify(content));
    expect(() => readCharacterization(file)).toThrow(message);
    expect(() => readCharacterization(file)).not.toThrow(/also (?=:)|column [:;]/);
  });

  it("is refused when it is missing or a step log, with what to give", () => {
    expect(() => readCharacterization(join(folder, "none.json"))).toThrow(/no such file; give a file that/);
    const log = write("steps.jsonl", '{"schema":"roofserve.step-log/1"}\n{"step":0}\n');
    expect(() => readCharacterization(log)).toThrow(/row 2: .* more than one JSON value/);
  });
});
