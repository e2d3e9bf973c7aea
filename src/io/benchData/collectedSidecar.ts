import { existsSync } from "node:fs";
import { join } from "node:path";
import * as z from "zod";
import { checkData, readDataText } from "../dataFile/dataFile.js";
import { shellWord } from "../shellWord.js";
import { parseJson } from "../structuredFile.js";

/** What `bench_data/collect` writes beside the tables it measured. */
export const COLLECTED_FILE = "collected.json";
/** Where an imported set keeps one of these per GPU. */
export const COLLECTED_FOLDER = "collected";

/** What the self-test calls its device. */
export const SELF_TEST_DEVICE = "cpu";

/** What we read of it; the rest is for people. */
const collectedSchema = z.object({
  schema: z.literal("roofserve.collected/1"),
  device: z.object({
    name: z.string().describe("the name CUDA reports"),
    memoryBytes: z.number().optional(),
    l2Bytes: z.number().optional(),
    sms: z.number().optional(),
  }),
});

/** The GPU as CUDA reports it. */
export type CollectedDevice = z.output<typeof collectedSchema>["device"];

export interface CollectedSidecar {
  /** Relative to the folder. */
  readonly path: string;
  readonly device: CollectedDevice;
}

/**
 * A sentence for a folder as `bench_data/collect` left it: it prices like a set, but with the rows that an import leaves
 * out. An imported set keeps the account elsewhere.
 */
export function unimportedNotes(dir: string | null): string[] {
  if (dir === null || !existsSync(join(dir, COLLECTED_FILE))) return [];
  const command = `roofserve bench-data import ${shellWord(dir)} --out tables`;
  return [`${dir} was measured but not imported: rows that nobody should believe are priced from too; ${command}`];
}

/**
 * The account of a measured folder, or of one GPU in an imported set; null where there is none: tables of other origin.
 * @param gpuFolder a GPU id in lower case
 * @throws DataFileError when it is there but malformed
 */
export function readCollectedSidecar(dir: string, gpuFolder: string): CollectedSidecar | null {
  const path = [join(COLLECTED_FOLDER, `${gpuFolder}.json`), COLLECTED_FILE].find((name) =>
    existsSync(join(dir, name)),
  );
  if (path === undefined) return null;
  const file = join(dir, path);
  const remedy = "give the folder as bench_data/collect wrote it";
  const { device } = checkData(collectedSchema, parseJson(readDataText(file, remedy), file), file, remedy);
  return { path, device };
}
