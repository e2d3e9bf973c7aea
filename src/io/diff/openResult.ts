import { existsSync, statSync } from "node:fs";
import { join } from "node:path";
import { printValue } from "../../core/config/parseConfig.js";
import { DataFileError } from "../../core/errors/simulationError.js";
import { readDataText } from "../dataFile/dataFile.js";
import { parseJson } from "../structuredFile.js";

export const RUN_SCHEMA = "roofserve.run/1";
export const SWEEP_SCHEMA = "roofserve.sweep/1";
export const PLAN_SCHEMA = "roofserve.plan/1";
const SCHEMAS = [RUN_SCHEMA, SWEEP_SCHEMA, PLAN_SCHEMA] as const;
/** Name of a step log that lies with a run's files. */
export const STEP_LOG_NAME = "steps.jsonl";
/** What the folders of --out hold: of each kind of result the whole of it. */
const RESULT_FILES = ["summary.json", "sweep.json", "plan.json"];
const REMEDY = "give a folder that run, sweep or plan --out wrote, or a result of one of them in JSON";

/** A result that was found at a path, not checked yet but for its kind. */
export interface OpenResult {
  /** As the user gave it. */
  readonly path: string;
  readonly file: string;
  /** Where the result's other files lie; null where the result alone was given. */
  readonly folder: string | null;
  readonly schema: (typeof SCHEMAS)[number];
  readonly content: object;
}

/**
 * Finds the result at a path, and tells its kind.
 * @throws DataFileError for what is missing or of another kind
 */
export function openResult(path: string): OpenResult {
  if (!existsSync(path)) throw new DataFileError({ file: path }, `no such file or folder; ${REMEDY}`);
  const isFolder = statSync(path).isDirectory();
  const file = isFolder ? fileIn(path) : path;
  const text = readDataText(file, REMEDY);
  if (text.startsWith('{"schema":"roofserve.step-log/')) {
    const problem = `is a step log; put it beside summary.json as ${STEP_LOG_NAME} and give the folder`;
    throw new DataFileError({ file }, problem);
  }
  const content = parseJson(text, file);
  const stated = typeof content === "object" && content !== null && "schema" in content ? content.schema : undefined;
  const schema = SCHEMAS.find((known) => known === stated);
  if (schema === undefined) throw new DataFileError({ file, column: "schema" }, otherKind(stated));
  return { path, file, folder: isFolder ? path : null, schema, content: content as object };
}

function fileIn(folder: string): string {
  const file = RESULT_FILES.map((name) => join(folder, name)).find((name) => existsSync(name));
  if (file !== undefined) return file;
  throw new DataFileError(
    { file: folder },
    `holds no summary.json, no sweep.json and no plan.json, which a finished run, sweep or plan writes; ${REMEDY}`,
  );
}

function otherKind(schema: unknown): string {
  const isOtherVersion = typeof schema === "string" && /^roofserve\.(run|sweep|plan)\//.test(schema);
  const what = isOtherVersion ? "; that is a result of another version of roofserve, simulate it again" : "";
  return `got ${printValue(schema)}; must be one of ${SCHEMAS.join(", ")}${what}; ${REMEDY}`;
}
