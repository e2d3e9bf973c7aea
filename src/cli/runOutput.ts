import { join } from "node:path";
import type { Argv } from "yargs";
import { giveToAll, KeptRequests } from "../core/engine/requestSinks.js";
import type { RunConfig } from "../core/engine/runConfig.js";
import type { RequestSink, StepObserver } from "../core/engine/runResult.js";
import type { RunSummary, StreamedResult } from "../core/engine/simulate.js";
import { observeAll } from "../core/engine/stepObservers.js";
import { ConfigError } from "../core/errors/simulationError.js";
import { guidellmArgs, guidellmStrategy } from "../io/guidellm/guidellmSettings.js";
import { ShortestRejected } from "../io/rejections.js";
import { cleanJson } from "../io/results/cleanJson.js";
import { placeOf, RUN_FILES, requireWritableFile } from "../io/results/outputFolder.js";
import { requestCsvLines } from "../io/results/requestTable.js";
import type { RequestWriter } from "../io/results/requestWriter.js";
import type { StepLogWriter } from "../io/results/stepLogWriter.js";
import { StepTraceRecorder } from "../io/results/stepTraceRecorder.js";
import type { Arguments } from "./deploymentOptions.js";
import { outFolder } from "./outFolder.js";
import { addReportOption, reportFile } from "./reportOption.js";
import type { RunReport } from "./runReport.js";
import { runTable } from "./runTable.js";

/** Adds `--out`, `--requests-out`, `--step-log` and `--report`. */
export function addRunOutputOptions<T>(command: Argv<T>): Argv<T> {
  const withFiles = command
    .option("out", {
      type: "string",
      alias: "o",
      requiresArg: true,
      group: "Output:",
      describe:
        "folder for summary.json, requests.csv and .jsonl, guidellm.json and trace.json (open it in ui.perfetto.dev)",
    })
    .option("requests-out", {
      type: "string",
      requiresArg: true,
      group: "Output:",
      describe:
        "file for one row per request, .csv or .jsonl, written as requests end: for runs too long for --out, which keeps them all in memory",
    })
    .option("step-log", {
      type: "string",
      requiresArg: true,
      group: "Output:",
      describe:
        "file for one JSON line per engine step: its batch, what each component took and was bound by; read it with roofserve explain",
    }) as Argv<T>;
  return addReportOption(
    withFiles,
    "latencies, timeline, slowest requests, and what holds the run back, with the changes that may help tried one by one",
  );
}

/** Who looks at a run: at its steps, and at its requests as they end. */
export interface RunWatch {
  readonly observer: StepObserver | null;
  readonly sink: RequestSink;
}

/**
 * Runs a simulation and writes its result: to stdout in the chosen format, and to the files that were asked for.
 * @param simulateWith simulates the same requests with another config
 */
export async function writeRun(
  argv: Arguments,
  run: (watch: RunWatch) => StreamedResult,
  label: string,
  simulateWith: (config: RunConfig) => RunSummary,
): Promise<void> {
  requireDistinctFiles(argv);
  const folder = outFolder(argv);
  const steps = folder === null ? null : new StepTraceRecorder();
  const stepLog = await stepLogWriter(argv);
  const requestWriter = await requestWriterOf(argv, label);
  const report = await runReport(argv, simulateWith);
  const rejected = new ShortestRejected();
  // Only who looks at all requests at the end keeps them.
  const isKept = folder !== null || argv.format === "csv" || report !== null;
  const kept = isKept ? new KeptRequests() : null;
  const watch = {
    observer: observeAll([steps, stepLog, report?.observer ?? null].filter((one) => one !== null)),
    sink: giveToAll([rejected, kept, requestWriter].filter((one) => one !== null)),
  };
  const startedMs = performance.now();
  const writers = [stepLog, requestWriter].filter((one) => one !== null);
  const result = writers.reduce(
    (inner, writer) => () => writer.during(inner),
    () => run(watch),
  )();
  const wallS = (performance.now() - startedMs) / 1000;
  const { summary } = result;
  const note = rejected.note(summary);
  if (note !== null) process.stderr.write(`note: ${note}\n`);
  for (const { file } of writers) process.stderr.write(`wrote ${file}\n`);
  if (folder !== null && kept !== null && steps !== null) await writeFolder(folder, { summary, kept, steps, label });
  process.stdout.write(formatResult(argv.format, result, kept, label));
  if (kept !== null) await report?.write({ ...result, records: kept.records, specs: kept.specs });
  const ratio = summary.engine.simulatedS / wallS;
  process.stderr.write(`simulated in ${wallS.toFixed(2)} s (${Math.round(ratio)} × real time)\n`);
}

/** Two outputs under one name would leave one of them. @throws ConfigError */
function requireDistinctFiles(argv: Arguments): void {
  const taken = new Map<string, string>();
  if (argv.out !== undefined) for (const name of RUN_FILES) taken.set(placeOf(join(String(argv.out), name)), "--out");
  for (const flag of ["step-log", "requests-out", "report"]) {
    const file = argv[flag];
    if (file === undefined) continue;
    const place = placeOf(String(file));
    const other = taken.get(place);
    if (other !== undefined) {
      const allowed = `must be another file than ${other}${other === "--out" ? " writes" : ""}`;
      throw new ConfigError([{ path: `--${flag}`, received: String(file), allowed }]);
    }
    taken.set(place, `--${flag}`);
  }
}

/** What writes the file of `--step-log`; a name that cannot be written is refused before the run. */
async function stepLogWriter(argv: Arguments): Promise<StepLogWriter | null> {
  const given = argv["step-log"];
  if (given === undefined) return null;
  const file = String(given);
  if (file.trim() === "") {
    throw new ConfigError([{ path: "--step-log", received: JSON.stringify(file), allowed: "must name a file" }]);
  }
  requireWritableFile(file);
  const { StepLogWriter } = await import("../io/results/stepLogWriter.js");
  return new StepLogWriter(file);
}

/** What makes the page of `--report`; a name that cannot be written is refused before the run. */
async function runReport(argv: Arguments, simulateWith: (config: RunConfig) => RunSummary): Promise<RunReport | null> {
  const file = await reportFile(argv);
  if (file === null) return null;
  const { RunReport } = await import("./runReport.js");
  return new RunReport(file, simulateWith);
}

/** What writes the file of `--requests-out`; a name that cannot be written is refused before the run. */
async function requestWriterOf(argv: Arguments, label: string): Promise<RequestWriter | null> {
  const given = argv["requests-out"];
  if (given === undefined) return null;
  const file = String(given);
  if (!/.\.(csv|jsonl)$/.test(file)) {
    const allowed = "must name a file that ends in .csv or .jsonl";
    throw new ConfigError([{ path: "--requests-out", received: JSON.stringify(file), allowed }]);
  }
  requireWritableFile(file);
  const { RequestWriter } = await import("../io/results/requestWriter.js");
  return new RequestWriter(file, label);
}

/** What a run leaves in the folder of `--out`. */
interface FolderContents {
  readonly summary: RunSummary;
  readonly kept: KeptRequests;
  readonly steps: StepTraceRecorder;
  readonly label: string;
}

async function writeFolder(folder: string, { summary, kept, steps, label }: FolderContents): Promise<void> {
  const { writeRunOutputs } = await import("../io/results/writeRunOutputs.js");
  const files = writeRunOutputs(folder, {
    summary,
    records: kept.records,
    specs: kept.specs,
    steps,
    seed: summary.config.seed,
    run: label,
    strategy: guidellmStrategy(summary.config),
    guidellmArgs: guidellmArgs(summary.config),
  });
  for (const file of files) process.stderr.write(`wrote ${file}\n`);
}

function formatResult(format: unknown, result: StreamedResult, kept: KeptRequests | null, label: string): string {
  if (format === "json") return `${cleanJson(result.summary)}\n`;
  if (format === "csv" && kept !== null) return [...requestCsvLines({ run: label, ...kept })].join("");
  return runTable(result);
}
