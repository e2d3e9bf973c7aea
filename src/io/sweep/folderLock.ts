import { readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { ConfigError } from "../../core/errors/simulationError.js";
import { makeFolders } from "../results/outputFolder.js";

/** Name of the lock in a run directory. */
export const LOCK_FILE = "lock";

/** One process at a time writes into a run directory. The lock of a process that is gone, killed perhaps, does not count. */
export class FolderLock {
  readonly #file: string;

  private constructor(file: string) {
    this.#file = file;
  }

  /** @throws ConfigError where another process has it */
  static take(folder: string): FolderLock {
    makeFolders(folder);
    const file = join(folder, LOCK_FILE);
    try {
      writeFileSync(file, String(process.pid), { flag: "wx" });
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw error;
      const holder = Number(readFileSync(file, "utf8"));
      if (holder !== process.pid && isAlive(holder)) {
        const allowed = `another command (process ${holder}) writes there: wait for it or choose another folder; if there is none, remove ${file}`;
        throw new ConfigError([{ path: "--out", received: folder, allowed }]);
      }
      writeFileSync(file, String(process.pid));
    }
    return new FolderLock(file);
  }

  release(): void {
    rmSync(this.#file, { force: true });
  }
}

function isAlive(pid: number): boolean {
  if (!Number.isInteger(pid) || pid <= 0) return false;
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "EPERM";
  }
}
