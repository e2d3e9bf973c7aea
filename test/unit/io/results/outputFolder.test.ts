import { readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { makeFolders } from "../../../../src/io/results/outputFolder.js";
import { temporaryFolder } from "../../../reference/temporaryFile.js";

const { folder } = temporaryFolder();

describe("making folders", () => {
  it("makes those above as well, and is content with what another thread has made", () => {
    const place = join(folder, "a", "b", "c");
    makeFolders(place);
    expect(statSync(place).isDirectory()).toBe(true);
    // Nothing is looked up beforehand, so this is what the slower of two threads meets.
    makeFolders(place);
  });

  it("says when a file has the name, and where a file system refuses new folders", () => {
    const file = join(folder, "file");
    writeFileSync(file, "x");
    expect(() => makeFolders(file)).toThrow("EEXIST");
    expect(() => makeFolders(join(file, "below"))).toThrow("ENOTDIR");
    expect(() => makeFolders("/proc/roofserve/below")).toThrow(/ENOENT|EACCES|EPERM|EROFS/);
    expect(readFileSync(file, "utf8")).toBe("x");
  });
});
