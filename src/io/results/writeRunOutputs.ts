import { join } from "node:path";
import type { RequestRecord } from "../../core/metrics/requestRecord.js";
import type { RequestSpec } from "../../core/request/requestSpec.js";
import type { GuidellmStrategy } from "../guidellm/guidellmReport.js";
import { guidellmReportText } from "../guidellm/guidellmWriter.js";
import { writeFileAtomically } from "./atomicFile.js";
import { chromeTraceText } from "./chromeTrace.js";
import { cleanJson } from "./cleanJson.js";
import type { RUN_FILES } from "./outputFolder.js";
import { requestCsvLines, requestJsonLines } from "./requestTable.js";
import type { TracedStep } from "./stepTraceRecorder.js";

/** Everything a run leaves behind. */
export interface RunOutputs {
  /** The `roofserve.run/1` object; written as it is printed. */
  readonly summary: { readonly version: string };
  readonly records: readonly RequestRecord[];
  /** Parallel to `records`; without them the tables cannot be replayed with their shared prefixes. */
  readonly specs: readonly RequestSpec[] | null;
  readonly steps: { readonly steps: readonly TracedStep[]; readonly stride: number } | null;
  readonly seed: number;
  /** Label in the `run` column. */
  readonly run: string;
  readonly strategy: GuidellmStrategy;
  /** Settings for the GuideLLM file's `args`. */
  readonly guidellmArgs: Readonly<Record<string, unknown>>;
}

/**
 * Writes summary.json, requests.csv, requests.jsonl, guidellm.json and, with `steps`, trace.json into a folder.
 * Each file appears whole or not at all; equal runs give equal bytes.
 * @returns the files written, in that order
 * @throws DataFileError when the folder cannot be written
 */
export function writeRunOutputs(folder: string, outputs: RunOutputs): string[] {
  const { records, specs, run, steps, strategy, seed, summary } = outputs;
  const table = { run, records, specs };
  const guidellm = {
    records,
    specs,
    strategy,
    args: outputs.guidellmArgs,
    simulator: { name: "roofserve", version: summary.version, seed },
  };
  const contents: [(typeof RUN_FILES)[number], Iterable<string>][] = [
    ["summary.json", [`${cleanJson(summary)}\n`]],
    ["requests.csv", requestCsvLines(table)],
    ["requests.jsonl", requestJsonLines(table)],
    ["guidellm.json", guidellmReportText(guidellm)],
  ];
  if (steps !== null) {
    contents.push(["trace.json", chromeTraceText({ records, steps: steps.steps, stepStride: steps.stride })]);
  }
  return contents.map(([name, pieces]) => {
    const file = join(folder, name);
    writeFileAtomically(file, pieces);
    return file;
  });
}
