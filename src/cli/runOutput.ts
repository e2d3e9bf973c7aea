import { dirname } from "node:path";
import type { Argv } from "yargs";
import type { StepObserver } from "../core/engine/runResult.js";
import type { SimulationResult } from "../core/engine/simulate.js";
import { observeAll } from "../core/engine/stepObservers.js";
import { ConfigError } from "../core/errors/simulationError.js";
import { guidellmArgs, guidellmStrategy } from "../io/guidellm/guidellmSettings.js";
import { rejectionNote } from "../io/rejections.js";
import { cleanJson } from "../io/results/cleanJson.js";
import { requireWritableFolder } from "../io/results/outputFolder.js";
import { requestCsvLines } from "../io/results/requestTable.js";
import type { StepLogWriter } from "../io/results/stepLogWriter.js";
import { StepTraceRecorder } from "../io/results/stepTraceRecorder.js";
import type { Arguments } from "./deploymentOptions.js";
import { runTable } from "./runTable.js";

/** Adds `--out` and `--step-log`. */
export function addRunOutputOptions<T>(command: Argv<T>): Argv<T> {
  return command
    .option("out", {
      type: "string",
      alias: "o",
      requiresArg: true,
      group: "Output:",
      describe:
        "folder for summary.json, requests.csv and .jsonl, guidellm.json and trace.json (open it in ui.perfetto.dev)",
    })
    .option("step-log", {
      type: "string",
      requiresArg: true,
      group: "Output:",
      describe:
        "file for one JSON line per engine step: its batch, what each component took and was bound by; read it with roofserve explain",
    }) as Argv<T>;
}

/** Runs a simulation and writes its result: to stdout in the chosen format, and to `--out`. */
export async function writeRun(
  argv: Arguments,
  run: (observer: StepObserver | null) => SimulationResult,
  label: string,
): Promise<void> {
  const folder = outputFolder(argv);
  const recorder = folder === null ? null : new StepTraceRecorder();
  const stepLog = await stepLogWriter(argv);
  const observer = observeAll([recorder, stepLog].filter((one) => one !== null));
  const startedMs = performance.now();
  const result = stepLog === null ? run(observer) : stepLog.during(() => run(observer));
  const wallS = (performance.now() - startedMs) / 1000;
  const { summary, records, specs } = result;
  const note = rejectionNote(result);
  if (note !== null) process.stderr.write(`note: ${note}\n`);
  if (stepLog !== null) process.stderr.write(`wrote ${stepLog.file}\n`);
  if (folder !== null && recorder !== null) {
    const { writeRunOutputs } = await import("../io/results/writeRunOutputs.js");
    const files = writeRunOutputs(folder, {
      summary,
      records,
      specs,
      steps: recorder,
      seed: summary.config.seed,
      run: label,
      strategy: guidellmStrategy(summary.config),
      guidellmArgs: guidellmArgs(summary.config),
    });
    for (const file of files) process.stderr.write(`wrote ${file}\n`);
  }
  process.stdout.write(formatResult(result, String(argv.format), label));
  const ratio = summary.engine.simulatedS / wallS;
  process.stderr.write(`simulated in ${wallS.toFixed(2)} s (${Math.round(ratio)} × real time)\n`);
}

/** Where `--out` says; what cannot be written is said before the run, not after it. */
function outputFolder(argv: Arguments): string | null {
  if (argv.out === undefined) return null;
  const folder = String(argv.out);
  if (folder.trim() === "") {
    throw new ConfigError([{ path: "--out", received: JSON.stringify(folder), allowed: "must name a folder" }]);
  }
  requireWritableFolder(folder);
  return folder;
}

/** What writes the file of `--step-log`; a name that cannot be written is refused before the run. */
async function stepLogWriter(argv: Arguments): Promise<StepLogWriter | null> {
  const given = argv["step-log"];
  if (given === undefined) return null;
  const file = String(given);
  if (file.trim() === "") {
    throw new ConfigError([{ path: "--step-log", received: JSON.stringify(file), allowed: "must name a file" }]);
  }
  requireWritableFolder(dirname(file));
  const { StepLogWriter } = await import("../io/results/stepLogWriter.js");
  return new StepLogWriter(file);
}

function formatResult({ summary, records, specs }: SimulationResult, format: string, label: string): string {
  if (format === "json") return `${cleanJson(summary)}\n`;
  if (format === "csv") return [...requestCsvLines({ run: label, records, specs })].join("");
  return runTable({ summary, records });
}
