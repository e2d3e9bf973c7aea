import { closeSync, openSync, readdirSync, readSync, statSync } from "node:fs";
import { join } from "node:path";
import * as z from "zod";
import { DataFileError } from "../../core/errors/simulationError.js";
import { SELF_TEST_DEVICE } from "../benchData/collectedSidecar.js";
import { checkData, readDataText } from "../dataFile/dataFile.js";
import { parseJson } from "../structuredFile.js";

const WHOLE_STEPS_SCHEMA_ID = "roofserve.wholeSteps/1";
/** Where a measured folder, or a set, has them. */
const WHOLE_STEP_FOLDER = "whole_step";

/** Bytes of a file that are looked at to recognise it: the schema is its first key. */
const HEAD_BYTES = 256;

const count = z.number().int().min(1).max(1e7);

/** Of one step; what else a file says of it is for people. */
const wholeStepSchema = z.object({
  model: z.string().min(1).describe("Hugging Face id"),
  layers: count.describe("that were run"),
  modelLayers: count.describe("that the model has"),
  weightDtype: z.enum(["bf16", "fp8"]),
  kvDtype: z.enum(["bf16", "fp8"]),
  blockSize: count.max(1024),
  tensorParallelSize: count.max(64),
  sampling: z.literal("greedy"),
  batch: z.string().describe("as `roofserve step --batch` takes it"),
  paddedTokens: count.describe("rows of the linear layers"),
  latencyUs: z.number().positive().describe("of one replay of the step's CUDA graph"),
  repeatabilityFraction: z.number().min(0).optional().describe("how far repeated looks lie apart, of their mean"),
});

const wholeStepsSchema = z.object({
  schema: z.literal(WHOLE_STEPS_SCHEMA_ID),
  device: z.string().describe("the name CUDA reports"),
  gpu: z.string().min(1).describe("as in `roofserve gpus`"),
  steps: z.array(wholeStepSchema).min(1, "at least one step"),
});

export type WholeSteps = Readonly<z.output<typeof wholeStepsSchema>>;
export type WholeStep = WholeSteps["steps"][number];

/** Whether a file holds measured steps rather than runs, by its first bytes. */
function isWholeStepFile(path: string): boolean {
  if (!path.endsWith(".json") || statSync(path, { throwIfNoEntry: false })?.isFile() !== true) return false;
  const head = Buffer.alloc(HEAD_BYTES);
  const descriptor = openSync(path, "r");
  try {
    return head.toString("utf8", 0, readSync(descriptor, head, 0, HEAD_BYTES, 0)).includes(WHOLE_STEPS_SCHEMA_ID);
  } finally {
    closeSync(descriptor);
  }
}

/** The files of measured steps at a path: itself, or those in the folder or its `whole_step`; none where it holds runs. */
export function wholeStepFilesAt(path: string): string[] {
  if (statSync(path, { throwIfNoEntry: false })?.isDirectory() !== true) return isWholeStepFile(path) ? [path] : [];
  return [path, join(path, WHOLE_STEP_FOLDER)].flatMap((folder) => {
    if (statSync(folder, { throwIfNoEntry: false })?.isDirectory() !== true) return [];
    const files = readdirSync(folder).sort();
    return files.map((name) => join(folder, name)).filter(isWholeStepFile);
  });
}

/** Reads whole steps as `bench_data/collect` measures them. @throws DataFileError */
export function readWholeSteps(file: string): WholeSteps {
  const remedy = "give a whole_step/<gpu>.json that bench_data/collect wrote";
  const steps = checkData(wholeStepsSchema, parseJson(readDataText(file, remedy), file), file, remedy);
  if (steps.device !== SELF_TEST_DEVICE) return steps;
  throw new DataFileError({ file }, `was written by the self-test, which measures nothing; ${remedy} on a GPU`);
}
