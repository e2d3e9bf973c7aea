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
    const message = (error as Error).message;
    const position = /position (\d+)/.exec(message)?.[1];
    const upTo = position === undefined ? text : text.slice(0, Number(position));
    const problem = `is not valid JSON (${message.replace(/ in JSON at position .*$/, "")}); is the file truncated?`;
    throw new DataFileError({ file, row: upTo.split("\n").length }, problem);
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
