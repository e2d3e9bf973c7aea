import { readFileSync } from "node:fs";
import type * as z from "zod";
import { allowedText, printValue, valueAt } from "../../core/config/parseConfig.js";
import { DataFileError, type DataLocation } from "../../core/errors/simulationError.js";

/** How many problems of one file a message spells out before it only counts the rest. */
const MAX_PROBLEMS_SHOWN = 3;

/**
 * Reads a text file, without its byte order mark.
 * @throws DataFileError when it is missing or unreadable; `remedy` says what the caller needs it for
 */
export function readDataText(file: string, remedy: string): string {
  try {
    return readFileSync(file, "utf8").replace(/^\uFEFF/, "");
  } catch (error) {
    throw new DataFileError({ file }, `${readProblem(error)}; ${remedy}`);
  }
}

/** Like `readDataText`, but null when there is no such file. */
export function readOptionalDataText(file: string): string | null {
  try {
    return readFileSync(file, "utf8").replace(/^\uFEFF/, "");
  } catch (error) {
    if (errorCode(error) === "ENOENT" || errorCode(error) === "ENOTDIR") return null;
    throw new DataFileError({ file }, `${readProblem(error)}; make it readable or remove it`);
  }
}

/**
 * Checks a parsed file, or one row of it, against a schema.
 * @throws DataFileError naming the first problems as `path: got X; must be Y`
 */
export function checkData<T extends z.ZodType>(
  schema: T,
  input: unknown,
  place: string | Pick<DataLocation, "file" | "row">,
  remedy: string,
): z.output<T> {
  const result = schema.safeParse(input);
  if (result.success) return result.data;
  const problems = result.error.issues.flatMap((issue) => problemsOf(issue, input));
  const [first, ...others] = problems;
  const shown = others
    .slice(0, MAX_PROBLEMS_SHOWN - 1)
    .map(({ path, text }) => `; also ${path === "" ? "" : `${path}: `}${text}`);
  const hidden = problems.length - MAX_PROBLEMS_SHOWN;
  const more = hidden > 0 ? `; and ${hidden} more` : "";
  const row = typeof place === "string" ? { file: place } : place;
  const location = first?.path ? { ...row, column: first.path } : row;
  throw new DataFileError(location, `${first?.text ?? "malformed"}${shown.join("")}${more}; ${remedy}`);
}

/** A problem of the whole value has an empty path; each unknown key is a problem of its own. */
function problemsOf(issue: z.core.$ZodIssue, input: unknown): { readonly path: string; readonly text: string }[] {
  if (issue.code === "unrecognized_keys") {
    return issue.keys.map((key) => ({ path: pathText([...issue.path, key]), text: "is an unknown key; remove it" }));
  }
  const received = valueAt(input, issue.path);
  return [{ path: pathText(issue.path), text: `got ${printValue(received)}; ${allowedText(issue, received)}` }];
}

/** `requests[3].arrival_time_us`. */
function pathText(path: readonly PropertyKey[]): string {
  return path.map((key, i) => (typeof key === "number" ? `[${key}]` : `${i === 0 ? "" : "."}${String(key)}`)).join("");
}

function readProblem(error: unknown): string {
  const code = errorCode(error);
  if (code === "ENOENT") return "no such file";
  if (code === "EISDIR") return "is a folder, not a file";
  if (code === "EACCES") return "not readable (permission denied)";
  return `cannot be read (${code ?? String(error)})`;
}

function errorCode(error: unknown): string | undefined {
  return (error as NodeJS.ErrnoException).code;
}
