import { existsSync, statSync } from "node:fs";
import {
  type LoggedStep,
  loggedStepSchema,
  type StepLogHeader,
  stepLogEndSchema,
  stepLogHeaderSchema,
} from "../../core/analysis/stepLog.js";
import { DataFileError } from "../../core/errors/simulationError.js";
import { checkData } from "../dataFile/dataFile.js";
import { type JsonlObject, jsonlObjects } from "../traces/jsonlRecords.js";

const REWRITE = "write or copy the log again";
const REMEDY = "give a file that run or replay wrote with --step-log";

/** A step log being read: its header, and its steps as they come. */
export interface OpenStepLog {
  readonly header: StepLogHeader;
  /** To be read to the end, or not at all. */
  readonly steps: Iterable<LoggedStep>;
}

/**
 * Opens a step log and reads its header; the steps are read line by line, whatever the length of the file.
 * @throws DataFileError naming file and row, here for the header and while the steps are read; at their end where the
 *   closing line is missing or counts otherwise
 */
export function openStepLog(file: string): OpenStepLog {
  if (!existsSync(file)) throw new DataFileError({ file }, `no such file; ${REMEDY}`);
  if (!statSync(file).isFile()) throw new DataFileError({ file }, `is a folder, not a file; ${REMEDY}`);
  const lines = jsonlObjects(file);
  const first = lines.next();
  if (first.done === true) throw new DataFileError({ file }, `is empty; ${REMEDY}`);
  const header = checkData(stepLogHeaderSchema, first.value.fields, { file, row: first.value.row }, REMEDY);
  return { header, steps: loggedSteps(file, header, lines) };
}

function* loggedSteps(file: string, header: StepLogHeader, lines: Generator<JsonlObject>): Generator<LoggedStep> {
  const schema = loggedStepSchema(header.components.length);
  let numSteps = 0;
  for (const { row, fields } of lines) {
    if ("end" in fields) {
      const { end } = checkData(stepLogEndSchema, fields, { file, row }, REWRITE);
      if (end.steps !== numSteps) {
        throw new DataFileError({ file, row }, `the run had ${end.steps} steps, ${numSteps} stand above; ${REWRITE}`);
      }
      const after = lines.next();
      if (after.done === true) return;
      throw new DataFileError({ file, row: after.value.row }, `nothing may follow the closing line; ${REWRITE}`);
    }
    yield checkData(schema, fields, { file, row }, REWRITE);
    numSteps++;
  }
  const problem = `is cut off after ${numSteps} ${numSteps === 1 ? "step" : "steps"}: the closing line is missing`;
  throw new DataFileError({ file }, `${problem}; ${REWRITE}`);
}
