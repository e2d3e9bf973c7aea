import { spawnSync } from "node:child_process";
import { existsSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { FolderLock, LOCK_FILE } from "../../../../src/io/sweep/folderLock.js";
import { temporaryFolder } from "../../../reference/temporaryFile.js";

const { folder } = temporaryFolder();

describe("the lock of a run directory", () => {
  it("keeps another process out for as long as that one lives, and is gone when released", () => {
    const lock = FolderLock.take(folder);
    expect(existsSync(join(folder, LOCK_FILE))).toBe(true);
    lock.release();
    expect(existsSync(join(folder, LOCK_FILE))).toBe(false);
    writeFileSync(join(folder, LOCK_FILE), String(process.ppid));
    expect(() => FolderLock.take(folder)).toThrow(`another command (process ${process.ppid}) writes there`);
  });

  it("does not count when its process is gone, or it is no process's", () => {
    const { pid } = spawnSync(process.execPath, ["-e", "0"]);
    for (const holder of [String(pid), "", "someone"]) {
      writeFileSync(join(folder, LOCK_FILE), holder);
      FolderLock.take(folder).release();
    }
  });
});
