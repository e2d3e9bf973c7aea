import type { ArgumentsCamelCase } from "yargs";
import { ConfigError } from "../../core/errors/simulationError.js";
import type { ServerRunConfig } from "../../core/evaluation/evaluateRun.js";
import { ablationName, type LabReport, testHypotheses } from "../../core/evaluation/hypotheses/testHypotheses.js";
import { measuredConfig } from "../../io/groundTruth/measuredConfig.js";
import { readMeasuredExperiments } from "../../io/groundTruth/readMeasuredExperiments.js";
import { loadDeployment } from "../../io/loadDeployment.js";
import { writeFileAtomically } from "../../io/results/atomicFile.js";
import { requireWritableFolder } from "../../io/results/outputFolder.js";
import type { CommandBody } from "../commandTable.js";
import {
  type Arguments,
  addDeploymentOptions,
  DEPLOYMENT_FLAGS,
  givenConfig,
  withFlagNames,
} from "../deploymentOptions.js";
import { examplesText } from "../examples.js";
import { endProgress, showProgress } from "../progressLine.js";
import { columnsOf, numberColumns, printNumber, textTable } from "../textTable.js";

const EXAMPLES = examplesText([
  ["hypotheses runs/", "the six hypotheses on every experiment below a folder"],
  ["hypotheses runs/ --out report", "and a report with pictures: report/README.md"],
]);

/** Flags of a deployment that mean nothing here: the protocols choose the step models, and draw nothing from the seed. */
const NOT_TAKEN = ["seed", "step-model", "toggle-hypotheses", "calibration"];

export const hypothesesCommand: CommandBody = {
  builder: (command) =>
    addDeploymentOptions(command, ["table", "json"], { without: NOT_TAKEN })
      .positional("path", {
        type: "string",
        array: true,
        describe: "inference-perf or GuideLLM folders, ground-truth JSON files, or folders of these",
      })
      .option("out", {
        type: "string",
        alias: "o",
        requiresArg: true,
        group: "Output:",
        describe: "folder for a report: README.md with every figure, and pictures (SVG)",
      })
      .epilogue(
        `${EXAMPLES}\n\nReplays each experiment at its lightest load some forty times: minutes for a handful of runs. ` +
          "At least two experiments are needed. Which step models and corrections are tried is the command's own business.",
      ),
  handler: async (argv: ArgumentsCamelCase) => {
    const folder = argv.out === undefined ? null : String(argv.out);
    if (folder !== null) requireWritableFolder(folder);
    const experiments = benchExperiments(argv);
    let numDone = 0;
    const report = testHypotheses(experiments, loadDeployment, (what, of) => showProgress(++numDone, of, what));
    endProgress();
    if (folder !== null) await writeReport(folder, report, argv);
    process.stdout.write(
      argv.format === "json" ? `${JSON.stringify(reportJson(report), null, 2)}\n` : reportTable(report),
    );
  },
};

function benchExperiments(argv: Arguments) {
  const given = givenConfig(argv, DEPLOYMENT_FLAGS) as { model?: unknown };
  const model = typeof given.model === "string" ? given.model : null;
  const experiments = (argv.path as string[]).flatMap((path) => readMeasuredExperiments(path, model));
  return withFlagNames(argv, DEPLOYMENT_FLAGS, () =>
    experiments.map((experiment) => ({ experiment, config: uncalibrated(measuredConfig(experiment, given)) })),
  );
}

/** @throws ConfigError where a config file names a calibration: its step times would correct one of the ends alone */
function uncalibrated(config: ServerRunConfig): ServerRunConfig {
  const { calibration } = config.pricing;
  if (calibration === null) return config;
  const allowed =
    "leave it out: its time per step goes with the additive model alone, and the ends could not be compared";
  throw new ConfigError([{ path: "pricing.calibration", received: calibration, allowed }]);
}

async function writeReport(folder: string, report: LabReport, argv: Arguments): Promise<void> {
  // The drawing library is large, and only this needs it.
  const { hypothesesReport } = await import("../../io/hypotheses/hypothesesReport.js");
  const command = `roofserve hypotheses ${(argv.path as string[]).join(" ")} --out ${folder}`;
  for (const [name, text] of hypothesesReport(report, command)) {
    writeFileAtomically(`${folder}/${name}`, [text]);
    process.stderr.write(`wrote ${folder}/${name}\n`);
  }
}

function reportJson({ low, high, ...report }: LabReport): object {
  const names = (points: LabReport["low"]) =>
    points.map(({ run, firstIndex, endIndex, requestsPerS }) => ({
      run: run.name,
      requests: endIndex - firstIndex,
      requestsPerS,
    }));
  return { schema: "roofserve.hypotheses/1", ...report, low: names(low), high: names(high) };
}

function reportTable({ findings, ablation }: LabReport): string {
  const verdicts = findings.map(({ hypothesis, verdict, reason }) => [hypothesis, verdict, reason]);
  const rows = ablation.map(({ stepModel, toggled, e2eError, ttftError, tpotError }) => [
    ablationName(stepModel, toggled),
    printNumber(e2eError),
    printNumber(ttftError),
    printNumber(tpotError),
  ]);
  const errors = textTable(numberColumns("mean |error| at the lightest loads, %", "E2E", "TTFT", "TPOT"), rows);
  return `${textTable(columnsOf("hypothesis", "verdict", "why"), verdicts)}\n${errors}`;
}
