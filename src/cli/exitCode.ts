import { ConfigError, type ErrorCode, SimulationError } from "../core/errors/simulationError.js";

/** What the process exits with; scripts rely on these. */
export const EXIT_CODE: Readonly<Record<"done" | "usage" | ErrorCode, number>> = {
  done: 0,
  usage: 2,
  config: 2,
  "data-file": 3,
  capacity: 4,
  invariant: 70,
};

/** A failure as the user should see it. */
export interface Failure {
  readonly exitCode: number;
  /** Ends with a newline; a stack only for bugs of roofserve. */
  readonly message: string;
}

/** Maps anything thrown to an exit code and a message; only a bug in roofserve shows a stack. */
export function describeFailure(error: unknown): Failure {
  if (error instanceof ConfigError && error.issues.length > 1) {
    const lines = error.message.split("\n").map((line) => `  ${line}`);
    return { exitCode: EXIT_CODE.config, message: `${error.issues.length} problems:\n${lines.join("\n")}\n` };
  }
  if (error instanceof SimulationError && error.code !== "invariant") {
    return { exitCode: EXIT_CODE[error.code], message: `${error.message}\n` };
  }
  const fileProblem = describeFileProblem(error);
  if (fileProblem !== null) return { exitCode: EXIT_CODE["data-file"], message: `${fileProblem}\n` };
  const stack = error instanceof Error ? (error.stack ?? error.message) : String(error);
  return {
    exitCode: EXIT_CODE.invariant,
    message: `This is a bug in roofserve, please report it with the command line:\n${stack}\n`,
  };
}

const FILE_PROBLEMS: Readonly<Record<string, string>> = {
  ENOENT: "no such file or directory; check the path",
  EISDIR: "is a directory, a file was expected",
  ENOTDIR: "a parent of the path is a file, not a directory",
  EACCES: "permission denied",
  EPERM: "permission denied",
  ENOSPC: "no space left on the disk",
  EROFS: "the file system is read-only",
  ENAMETOOLONG: "the path is too long",
  ELOOP: "too many symbolic links",
};

/** Words for an operating-system error on a path, or null when it is something else. */
function describeFileProblem(error: unknown): string | null {
  if (!(error instanceof Error) || !("code" in error) || !("syscall" in error)) return null;
  const problem = FILE_PROBLEMS[String(error.code)] ?? `cannot be used (${error.code})`;
  const path = "path" in error && typeof error.path === "string" ? error.path : "file";
  return `${path}: ${problem}`;
}
