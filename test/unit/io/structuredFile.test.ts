import { describe, expect, it } from "vitest";
import { DataFileError } from "../../../src/core/errors/simulationError.js";
import { parseJson } from "../../../src/io/structuredFile.js";

function refusal(text: string): DataFileError {
  try {
    parseJson(text, "a.json");
  } catch (error) {
    if (error instanceof DataFileError) return error;
    throw error;
  }
  throw new Error(`accepted ${text}`);
}

describe("JSON that is none", () => {
  it.each<[string, number, string]>([
    ['{\n "a": x\n}\n', 2, "Unexpected token 'x'"],
    ['{"x":\nx}\n\n', 2, "Unexpected token 'x'"],
    ["[1,\n\n]\n", 3, "Unexpected token ']'"],
    [`{\n"note": "at position 1",\n"pad": "${"y".repeat(40)}",\n"a": nil,\n"b": 1\n}`, 4, "Unexpected token 'i'"],
    ['{\n"a": 1,\n}\n', 3, "Expected double-quoted property name"],
    ['{"a": "two\nlines"}', 1, "Bad control character"],
  ])("names the row of the first error and quotes no text: %j", (text, row, reason) => {
    const error = refusal(text);
    expect(error.location.row).toBe(row);
    expect(error.message).toContain(`is not valid JSON (${reason}`);
    expect(error.message).not.toMatch(/\n|truncated/);
  });

  it.each(['{\n"a": 1', '{\n"a": "x', '{\n"a": tr', '{\n"a":'])("asks whether it was cut off: %j", (text) => {
    expect(refusal(text).message).toMatch(/row 2: is not valid JSON .*; is the file truncated\?/);
  });

  it("says of JSON lines what they are", () => {
    const { message, location } = refusal('{"schema":"roofserve.step-log/1"}\n{"step":0}\n');
    expect(location.row).toBe(2);
    expect(message).toContain("more than one JSON value, as JSON lines do (a trace, a step log)");
    expect(message).not.toContain("truncated");
  });
});
