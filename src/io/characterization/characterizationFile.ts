import * as z from "zod";
import {
  CHARACTERIZATION_SCHEMA_ID,
  type Characterization,
  characterizationSchema,
} from "../../core/kernels/characterization/characterization.js";
import { checkData, readDataText } from "../dataFile/dataFile.js";
import { writeFileAtomically } from "../results/atomicFile.js";
import { cleanJson } from "../results/cleanJson.js";
import { parseJson } from "../structuredFile.js";

const REMEDY = "give a file that roofserve characterize --out wrote";

/** Reads a file that `roofserve characterize --out` wrote. @throws DataFileError */
export function readCharacterization(file: string): Characterization {
  const input = parseJson(readDataText(file, REMEDY), file);
  // A file of another kind should hear that, not of every key that it lacks.
  checkData(z.object({ schema: z.literal(CHARACTERIZATION_SCHEMA_ID) }), input, file, REMEDY);
  return checkData(characterizationSchema, input, file, REMEDY);
}

/** Writes a characterisation for `--characterization`. @throws DataFileError when the place cannot be written */
export function writeCharacterization(file: string, characterization: Characterization): void {
  writeFileAtomically(file, [`${cleanJson(characterization)}\n`]);
}
