import { dirname } from "node:path";
import type { ArgumentsCamelCase } from "yargs";
import * as z from "zod";
import { parseConfig } from "../../core/config/parseConfig.js";
import { ConfigError } from "../../core/errors/simulationError.js";
import { calibrate } from "../../core/evaluation/calibration/calibrate.js";
import type { CalibrationCase } from "../../core/evaluation/calibration/calibrationCase.js";
import { BUILT_IN_START, NEUTRAL_START } from "../../core/evaluation/calibration/calibrationTerms.js";
import { checkCalibration } from "../../core/evaluation/calibration/checkCalibration.js";
import { crossValidate } from "../../core/evaluation/calibration/crossValidate.js";
import { describeCalibration } from "../../core/evaluation/calibration/describeCalibration.js";
import { unstatedNotes } from "../../core/evaluation/replayRun.js";
import type { MeasuredExperiment } from "../../core/metrics/measuredExperiment.js";
import { withCalibration } from "../../io/calibration/calibrated.js";
import { calibrationText, readCalibration, writeCalibration } from "../../io/calibration/calibrationFile.js";
import { measuredConfig } from "../../io/groundTruth/measuredConfig.js";
import { readMeasuredExperiments } from "../../io/groundTruth/readMeasuredExperiments.js";
import { cleanJson } from "../../io/results/cleanJson.js";
import { requireWritableFolder } from "../../io/results/outputFolder.js";
import { calibrationTable, checkTable, crossValidationTable } from "../calibrationTables.js";
import type { CommandBody } from "../commandTable.js";
import {
  type Arguments,
  addDeploymentOptions,
  DEPLOYMENT_FLAGS,
  deploymentOf,
  givenConfig,
  withFlagNames,
} from "../deploymentOptions.js";
import { examplesText } from "../examples.js";
import { endProgress, showProgress } from "../progressLine.js";

const EXAMPLES = examplesText([
  ["calibrate benchmarks.json -m Qwen/Qwen3-14B --out my-server.json", "fit the server's constants to one benchmark"],
  ["run --calibration my-server.json --rate 8", "use them"],
  ["calibrate newer.json --check my-server.json", "does the calibration still hold?"],
  ["calibrate --cross-validate runs/", "how well does calibrating work on runs that took no part in it?"],
]);

// Paragraphs of one line each: yargs wraps them to the terminal.
const EPILOGUE = [
  EXAMPLES,
  "Fitted are the front end's time per request and per prompt token, and the time that a step loses: to the CPU of a " +
    "synchronous server, between the kernels of each layer of an asynchronous one. A constant moves only where the run " +
    "contradicts the built-in value: a 95 % interval, with 1.5 % of kernel time granted for what no constant stands for, " +
    "must exclude it. What no constant explains is kept as a residual per output token, prompt token or request, if it " +
    "lowers the error on training requests left out of its fit. Warm-up is left out, outliers count little.",
  "Refused (exit code 3) are fewer than 100 usable requests, overloaded runs, and a fit that errs more than twice as " +
    "much on the requests kept for validation, which have no part in any choice. One that errs by more than 30 % there is " +
    "written with a warning. --check exits with 0 whatever it finds: a " +
    "stale calibration is an answer, not a failure.",
].join("\n\n");

const dateSchema = z.iso.date("must be a date such as 2026-01-20");
const nameSchema = z.string().min(1).max(200);

export const calibrateCommand: CommandBody = {
  builder: (command) =>
    addDeploymentOptions(command, ["table", "json"], {
      refused: ["step-model", "toggle-hypotheses", "calibration"],
    })
      .positional("path", {
        type: "string",
        array: true,
        describe: "one experiment: an inference-perf or GuideLLM folder or file, or a ground-truth JSON file",
      })
      .option("out", { type: "string", alias: "o", requiresArg: true, group: "Output:", describe: "file to write" })
      .option("name", {
        type: "string",
        requiresArg: true,
        describe: "what to call it [default: the experiment's name]",
      })
      .option("date", {
        type: "string",
        requiresArg: true,
        describe: "when it was measured [default: as the files say]",
      })
      .option("check", { type: "string", requiresArg: true, describe: "calibration file to test on this run" })
      .option("cross-validate", { type: "boolean", describe: "calibrate on some of the runs, predict the others" })
      .option("from", {
        choices: ["built-in", "neutral"],
        requiresArg: true,
        describe:
          "cross-validate from the built-in constants, or from none, which were never tuned [default: built-in]",
      })
      .epilogue(EPILOGUE),
  handler: (argv: ArgumentsCamelCase) => {
    rejectMixedModes(argv);
    const experiments = (argv.path as string[]).flatMap((path) => readMeasuredExperiments(path, givenModel(argv)));
    if (argv["cross-validate"] === true) return writeCrossValidation(experiments, argv);
    const [experiment, ...others] = experiments as [MeasuredExperiment, ...MeasuredExperiment[]];
    if (others.length > 0) {
      const received = `${experiments.length} experiments: ${experiments.map(({ name }) => name).join(", ")}`;
      const allowed = "give one; --cross-validate takes several";
      throw new ConfigError([{ path: "path", received, allowed }]);
    }
    if (argv.check === undefined) writeCalibrationOf(experiment, argv);
    else writeCheck(experiment, String(argv.check), argv);
  },
};

/** Each mode has flags that mean nothing to the others. */
function rejectMixedModes(argv: Arguments): void {
  const modes = [argv.check !== undefined ? "--check" : "", argv["cross-validate"] === true ? "--cross-validate" : ""];
  const [mode, second] = modes.filter((flag) => flag !== "");
  const given = ["out", "name", "date"].filter((flag) => argv[flag] !== undefined).map((flag) => `--${flag}`);
  const issues =
    mode === undefined
      ? []
      : [...(second === undefined ? [] : [second]), ...given].map((path) => ({
          path,
          received: `also ${mode}`,
          allowed: "give one of the two",
        }));
  if (argv.from !== undefined && argv["cross-validate"] !== true) {
    issues.push({ path: "--from", received: String(argv.from), allowed: "goes with --cross-validate only" });
  }
  if (issues.length > 0) throw new ConfigError(issues);
}

function givenModel(argv: Arguments): string | null {
  const { model } = givenConfig(argv, DEPLOYMENT_FLAGS) as { model?: unknown };
  return typeof model === "string" ? model : null;
}

/** An experiment with the built-in constants; no others are accepted. */
function caseOf(experiment: MeasuredExperiment, argv: Arguments): CalibrationCase {
  for (const note of [...experiment.notes, ...unstatedNotes(experiment)])
    process.stderr.write(`${experiment.name}: ${note}\n`);
  return withFlagNames(argv, DEPLOYMENT_FLAGS, () => {
    const config = measuredConfig(experiment, givenConfig(argv, DEPLOYMENT_FLAGS));
    rejectOtherPricing(config.pricing);
    return { name: experiment.name, deployment: deploymentOf(config), config, runs: experiment.runs };
  });
}

function rejectOtherPricing({ calibration, stepModel, toggleHypotheses }: CalibrationCase["config"]["pricing"]): void {
  const issues = [];
  if (calibration !== null) {
    const allowed = "leave it out: a fit starts from the built-in constants; --check tests a calibration";
    issues.push({ path: "pricing.calibration", received: calibration, allowed });
  }
  if (stepModel !== "additive" || toggleHypotheses !== null) {
    const path = stepModel === "additive" ? "pricing.toggleHypotheses" : "pricing.stepModel";
    const allowed = "leave it out: constants are fitted to the additive model as it is";
    issues.push({ path, received: toggleHypotheses ?? stepModel, allowed });
  }
  if (issues.length > 0) throw new ConfigError(issues);
}

function writeCalibrationOf(experiment: MeasuredExperiment, argv: Arguments): void {
  const date = argv.date === undefined ? (experiment.measuredOn ?? null) : parseConfig(dateSchema, argv.date, "--date");
  const name = argv.name === undefined ? experiment.name : parseConfig(nameSchema, argv.name, "--name");
  if (argv.out !== undefined) requireWritableFolder(dirname(String(argv.out)));
  const from = caseOf(experiment, argv);
  showProgress(1, 1, `calibrating on ${experiment.name}`);
  const { seed } = from.config;
  const fit = withFlagNames(argv, DEPLOYMENT_FLAGS, () => calibrate(from, seed));
  endProgress();
  const { vllmVersion } = experiment.engine;
  const calibration = describeCalibration(from, fit, { name, date, seed, vllmVersion });
  if (argv.out !== undefined) writeCalibration(String(argv.out), calibration);
  process.stdout.write(argv.format === "json" ? calibrationText(calibration) : calibrationTable(calibration));
}

function writeCheck(experiment: MeasuredExperiment, file: string, argv: Arguments): void {
  const calibration = readCalibration(file);
  const from = caseOf(experiment, argv);
  const { deployment, doubts, leftOut } = withCalibration(from.deployment, calibration, from.config.engine);
  for (const doubt of doubts) process.stderr.write(`note: ${doubt}\n`);
  const check = {
    schema: "roofserve.calibration-check/1",
    calibration: calibration.name,
    run: experiment.name,
    ...withFlagNames(argv, DEPLOYMENT_FLAGS, () => checkCalibration(from, deployment, leftOut)),
  };
  if (check.verdict === "stale") {
    process.stderr.write(`note: the calibration is stale (${check.reasons.join(", ")}): calibrate on this run\n`);
  }
  process.stdout.write(argv.format === "json" ? `${cleanJson(check)}\n` : checkTable(check));
}

function writeCrossValidation(experiments: readonly MeasuredExperiment[], argv: Arguments): void {
  const cases = experiments.map((experiment) => caseOf(experiment, argv));
  const start = argv.from === "neutral" ? NEUTRAL_START : BUILT_IN_START;
  const seed = cases[0]?.config.seed ?? 0;
  let step = 0;
  const numSteps = 3 * cases.length;
  const onProgress = (what: string) => showProgress(Math.min(++step, numSteps), numSteps, what);
  const result = withFlagNames(argv, DEPLOYMENT_FLAGS, () => crossValidate(cases, { start, seed, onProgress }));
  endProgress();
  const report = { schema: "roofserve.cross-validation/1", ...result };
  process.stdout.write(argv.format === "json" ? `${cleanJson(report)}\n` : crossValidationTable(result));
}
