import { existsSync, statSync } from "node:fs";
import {
  type LoggedStep,
  loggedStepSchema,
  type StepLogHeader,
  stepLogHeaderSchema,
} from "../../core/analysis/stepLog.js";
import { DataFileError } from "../../core/errors/simulationError.js";
import { checkData } from "../dataFile/dataFile.js";
import { type JsonlObject, jsonlObjects } from "../traces/jsonlRecords.js";

const REMEDY = "give a file that run or replay wrote with --step-log";

/** A step log being read: its header, and its steps as they come. */
export interface OpenStepLog {
  readonly header: StepLogHeader;
  /** To be read to the end, or not at all. */
  readonly steps: Iterable<LoggedStep>;
}

/**
 * Opens a step log and reads its header; the steps are read line by line, whatever the length of the file.
 * @throws DataFileError naming file and row, here for the header and while the steps are read
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

function* loggedSteps(file: string, header: StepLogHeader, lines: Iterable<JsonlObject>): Generator<LoggedStep> {
  const schema = loggedStepSchema(header.components.length);
  for (const { row, fields } of lines) {
    yield checkData(schema, fields, { file, row }, "write the log again");
  }
}
