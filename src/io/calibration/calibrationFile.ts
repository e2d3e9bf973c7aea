import * as z from "zod";
import {
  CALIBRATION_SCHEMA_ID,
  type Calibration,
  calibrationSchema,
} from "../../core/evaluation/calibration/calibrationSchema.js";
import { checkData, readDataText } from "../dataFile/dataFile.js";
import { writeFileAtomically } from "../results/atomicFile.js";
import { cleanJson } from "../results/cleanJson.js";
import { parseJson } from "../structuredFile.js";

const REMEDY = "give a file that roofserve calibrate --out wrote";

/** @throws DataFileError when the file is missing or no calibration */
export function readCalibration(file: string): Calibration {
  const input = parseJson(readDataText(file, REMEDY), file);
  // A file of another kind should hear that, not of every key that it lacks.
  checkData(z.object({ schema: z.literal(CALIBRATION_SCHEMA_ID) }), input, file, REMEDY);
  return checkData(calibrationSchema, input, file, REMEDY);
}

/** @throws DataFileError when the place cannot be written */
export function writeCalibration(file: string, calibration: Calibration): void {
  writeFileAtomically(file, [calibrationText(calibration)]);
}

/** The file's text: the same calibration gives the same bytes. */
export function calibrationText(calibration: Calibration): string {
  return `${cleanJson(calibration)}\n`;
}
