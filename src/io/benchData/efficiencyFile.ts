import * as z from "zod";
import { GPU_EFFICIENCY_SCHEMA_ID, type GpuEfficiency, gpuEfficiencySchema } from "../../core/kernels/gpuEfficiency.js";
import { checkData, readDataText } from "../dataFile/dataFile.js";
import { writeFileAtomically } from "../results/atomicFile.js";
import { parseJson } from "../structuredFile.js";

const REMEDY = "give a file that roofserve bench-data fit --out wrote";

/** Reads a file that `roofserve bench-data fit --out` wrote. @throws DataFileError */
export function readEfficiency(file: string): GpuEfficiency {
  const input = parseJson(readDataText(file, REMEDY), file);
  // A file of another kind should hear that, not of every key that it lacks.
  checkData(z.object({ schema: z.literal(GPU_EFFICIENCY_SCHEMA_ID) }), input, file, REMEDY);
  return checkData(gpuEfficiencySchema, input, file, REMEDY);
}

/** Writes efficiencies for `--kernel-efficiency`. @throws DataFileError when the place cannot be written */
export function writeEfficiency(file: string, efficiency: GpuEfficiency): void {
  writeFileAtomically(file, [efficiencyText(efficiency)]);
}

/** One line per leaf list, so that a refit reads well as a diff. */
export function efficiencyText(efficiency: GpuEfficiency): string {
  const text = JSON.stringify(efficiency, null, 1);
  return `${text.replace(/\[\s+([-\d.e,\s]+?)\s+\]/g, (_, list: string) => `[${list.replace(/\s+/g, " ")}]`)}\n`;
}
