import { readFileSync, statSync } from "node:fs";
import { DataFileError } from "../core/errors/simulationError.js";
import { requirePackage } from "./requirePackage.js";

/**
 * Reads a JSON or YAML file (JSON is YAML, but `.json` files get JSON's stricter rules).
 * @throws DataFileError with the row of the first syntax error, or for a folder
 */
export function readStructuredFile(file: string): unknown {
  if (statSync(file).isDirectory()) throw new DataFileError({ file }, "is a folder; give a file");
  const text = readFileSync(file, "utf8");
  if (text.trim() === "") throw new DataFileError({ file }, "the file is empty");
  return file.endsWith(".json") ? parseJson(text, file) : parseYaml(text, file);
}

/** Parses JSON text; a syntax error names the row. */
export function parseJson(text: string, file: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    const offset = errorOffset(text);
    // Without the text that some messages quote, line breaks and all, and the position that only some state.
    const [reason = ""] = (error as Error).message.split(/, (?:\.\.\.)?"| (?:in JSON )?at position /);
    const problem = `is not valid JSON (${reason.replace("\n", "line break")})${remedyOf(reason, offset === text.length)}`;
    throw new DataFileError({ file, row: text.slice(0, offset).split("\n").length }, problem);
  }
}

function remedyOf(reason: string, isAtEnd: boolean): string {
  if (isAtEnd) return "; is the file truncated?";
  return reason.startsWith("Unexpected non-whitespace character after JSON")
    ? "; it holds more than one JSON value, as JSON lines do (a trace, a step log)"
    : "; correct this row";
}

/** A character that no JSON text may hold outside of escapes. */
const NEVER = "\u0001";

/**
 * Where `JSON.parse` stumbles; the text's length when it ends too early. The messages state a place only at times, so it
 * is searched for: a text that is cut before that place and goes on with `NEVER` fails right there.
 */
function errorOffset(text: string): number {
  let good = 0;
  let bad = text.length + 1;
  while (bad - good > 1) {
    const middle = Math.floor((good + bad) / 2);
    if (failsAtEnd(text.slice(0, middle))) good = middle;
    else bad = middle;
  }
  return good;
}

function failsAtEnd(text: string): boolean {
  try {
    JSON.parse(text + NEVER);
    return false;
  } catch (error) {
    const { message } = error as Error;
    if (message.startsWith("Unexpected token")) return message.startsWith(`Unexpected token '${NEVER}'`);
    return / at position (\d+)/.exec(message)?.[1] === String(text.length);
  }
}

/** Parses YAML text; a syntax error names the row. */
export function parseYaml(text: string, file: string): unknown {
  const { LineCounter, parseDocument } = requirePackage("yaml") as typeof import("yaml");
  const lineCounter = new LineCounter();
  const document = parseDocument(text, { lineCounter, prettyErrors: false });
  const [first] = document.errors;
  if (first !== undefined) {
    const row = lineCounter.linePos(first.pos[0]).line;
    throw new DataFileError({ file, row }, `is not valid YAML: ${first.message}`);
  }
  try {
    return document.toJS();
  } catch (error) {
    // Aliases are only resolved here: unknown ones, and those that would unfold to gigabytes.
    if (!(error instanceof ReferenceError)) throw error;
    throw new DataFileError({ file }, `is not valid YAML: ${error.message}`);
  }
}
