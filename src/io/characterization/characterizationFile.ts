import { type Characterization, characterizationSchema } from "../../core/kernels/characterization/characterization.js";
import { checkData } from "../dataFile/dataFile.js";
import { writeFileAtomically } from "../results/atomicFile.js";
import { cleanJson } from "../results/cleanJson.js";
import { readStructuredFile } from "../structuredFile.js";

/** Reads a file that `roofserve characterize --out` wrote. @throws DataFileError */
export function readCharacterization(file: string): Characterization {
  const remedy = "give a file that `roofserve characterize --out` wrote";
  return checkData(characterizationSchema, readStructuredFile(file), file, remedy);
}

/** Writes a characterisation for `--characterization`. @throws DataFileError when the place cannot be written */
export function writeCharacterization(file: string, characterization: Characterization): void {
  writeFileAtomically(file, [`${cleanJson(characterization)}\n`]);
}
