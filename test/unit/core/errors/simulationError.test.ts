import { describe, expect, it } from "vitest";
import { describeFailure, EXIT_CODE } from "../../../../src/cli/exitCode.js";
import {
  CapacityError,
  ConfigError,
  DataFileError,
  InvariantError,
  SimulationError,
} from "../../../../src/core/errors/simulationError.js";

const issue = (path: string) => ({ path, received: "0", allowed: "must be ≥ 1" });

describe("an error's message says what, where and what to do", () => {
  it("for a config: one line per problem", () => {
    const error = new ConfigError([issue("a"), issue("b.c")]);
    expect(error.message).toBe("a: got 0; must be ≥ 1\nb.c: got 0; must be ≥ 1");
    expect(error.issues.length).toBe(2);
  });

  it.each([
    [{ file: "t.csv" }, "t.csv: is empty"],
    [{ file: "t.csv", row: 3 }, "t.csv, row 3: is empty"],
    [{ file: "t.csv", row: 3, column: "tokens" }, "t.csv, row 3, column tokens: is empty"],
    [{ file: "t.json", column: "a.b" }, "t.json, column a.b: is empty"],
  ])("for a data file: %o", (location, message) => {
    expect(new DataFileError(location, "is empty").message).toBe(message);
  });

  it("for a plan that cannot work: needed, available and the knobs", () => {
    const error = new CapacityError("weights do not fit", 2 ** 31, 2 ** 30, ["a larger GPU", "--tp 2"]);
    expect(error.message).toBe(
      "weights do not fit: needs 2.00 GiB (2147483648 bytes), available 1.00 GiB (1073741824 bytes); " +
        "try a larger GPU, or --tp 2",
    );
  });

  it("and its name is its class, its kind one of four", () => {
    const all: SimulationError[] = [
      new ConfigError([issue("a")]),
      new DataFileError({ file: "f" }, "x"),
      new CapacityError("x", 2, 1, ["y"]),
      new InvariantError("x"),
    ];
    expect(all.map(({ name }) => name)).toEqual(["ConfigError", "DataFileError", "CapacityError", "InvariantError"]);
    expect(all.map(({ code }) => code)).toEqual(["config", "data-file", "capacity", "invariant"]);
    for (const error of all) expect(error).toBeInstanceOf(SimulationError);
  });
});

describe("a failure as the user sees it", () => {
  const withCode = (code: string, path?: string) =>
    Object.assign(new Error("os"), { code, syscall: "open", ...(path && { path }) });

  it.each([
    ["one config problem", new ConfigError([issue("a")]), 2, "a: got 0; must be ≥ 1\n"],
    ["two config problems", new ConfigError([issue("a"), issue("b")]), 2, "2 problems:\n  a: got 0"],
    ["a broken file", new DataFileError({ file: "f", row: 2 }, "bad"), 3, "f, row 2: bad\n"],
    ["a plan that cannot work", new CapacityError("no room", 2, 1, ["k"]), 4, "no room: needs"],
    ["a missing file", withCode("ENOENT", "/x"), 3, "/x: no such file"],
    ["a folder for a file", withCode("EISDIR", "/x"), 3, "/x: is a directory"],
    ["a forbidden file", withCode("EACCES", "/x"), 3, "/x: permission denied"],
    ["a file problem without a path", withCode("ENOSPC"), 3, "no space left"],
    ["a file problem without words of ours", withCode("EIO", "/x"), 3, "/x: cannot be used (EIO)"],
  ] as const)("%s", (_name, error, exitCode, message) => {
    const failure = describeFailure(error);
    expect(failure.exitCode).toBe(exitCode);
    expect(failure.message).toContain(message);
    expect(failure.message.endsWith("\n")).toBe(true);
    expect(failure.message).not.toMatch(/\n\s+at /);
  });

  it.each([
    ["a broken invariant", new InvariantError("blocks lost")],
    ["an unknown error", new TypeError("x is undefined")],
    ["an error with a code of its own", Object.assign(new Error("odd"), { code: "EWEIRD" })],
  ])("%s is a bug: 70, with a stack", (_name, error) => {
    const failure = describeFailure(error);
    expect(failure.exitCode).toBe(70);
    expect(failure.message).toContain("bug in roofserve");
    expect(failure.message).toContain(error.message);
    expect(failure.message).toMatch(/\n\s+at /);
  });

  it.each(["a thrown text", undefined, null, 7])("even %j", (thrown) => {
    expect(describeFailure(thrown)).toMatchObject({ exitCode: 70 });
  });

  it("has an exit code of its own for each kind", () => {
    expect(EXIT_CODE).toMatchObject({ done: 0, usage: 2, config: 2, "data-file": 3, capacity: 4, invariant: 70 });
  });
});
