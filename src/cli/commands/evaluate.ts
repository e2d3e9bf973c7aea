import type { ArgumentsCamelCase, CommandModule } from "yargs";
import { engineConfigSchema, samplingConfigSchema } from "../../core/config/engineConfig.js";
import { parseConfig } from "../../core/config/parseConfig.js";
import { createServer } from "../../core/engine/createServer.js";
import { runServer } from "../../core/engine/simulate.js";
import { compareRun } from "../../core/evaluation/compareRun.js";
import { type EvaluatedRun, type EvaluationReport, evaluationReport } from "../../core/evaluation/evaluationReport.js";
import { replayWorkload, statedConfig, unstatedNotes } from "../../core/evaluation/replayRun.js";
import type { MeasuredExperiment } from "../../core/metrics/measuredExperiment.js";
import { readMeasuredExperiments } from "../../io/groundTruth/readMeasuredExperiments.js";
import { mergeConfig } from "../configFlags.js";
import {
  type Arguments,
  addDeploymentOptions,
  DEPLOYMENT_FLAGS,
  deploymentOf,
  givenConfig,
  withFlagNames,
} from "../deploymentOptions.js";
import { evaluationTable } from "../evaluationTable.js";
import { examplesText } from "../examples.js";
import { endProgress, showProgress } from "../progressLine.js";

const EXAMPLES = examplesText([
  ["evaluate runs/", "every experiment below a folder"],
  ["evaluate run1 run2 --gpu A100-80 --format json", "two folders, measured on A100"],
]);

export const evaluateCommand: CommandModule = {
  command: "evaluate <path..>",
  describe: "replay real benchmark runs and compare: measured, predicted, error",
  builder: (command) =>
    addDeploymentOptions(command, ["table", "json"])
      .positional("path", {
        type: "string",
        array: true,
        describe: "inference-perf or GuideLLM folders, ground-truth JSON files, or folders of these",
      })
      .epilogue(
        `${EXAMPLES}\n\nModel, TP, limits, KV blocks and sampling come from the files; flags win. The GPU is rarely in the files: ` +
          "it is H100 unless --gpu says otherwise.",
      ),
  handler: (argv: ArgumentsCamelCase) => {
    const experiments = (argv.path as string[]).flatMap((path) => readMeasuredExperiments(path, givenModel(argv)));
    const runs = experiments.flatMap((experiment, i) => {
      showProgress(i + 1, experiments.length, experiment.name);
      return evaluateExperiment(experiment, argv);
    });
    endProgress();
    writeReport(evaluationReport(runs), argv);
  },
};

/** Published runs rarely name their GPU; most are of this one. */
const DEFAULT_GPU = "H100";

function givenModel(argv: Arguments): string | null {
  const { model } = givenConfig(argv, DEPLOYMENT_FLAGS) as { model?: unknown };
  return typeof model === "string" ? model : null;
}

function evaluateExperiment(experiment: MeasuredExperiment, argv: Arguments): EvaluatedRun[] {
  for (const note of [...experiment.notes, ...unstatedNotes(experiment)])
    process.stderr.write(`${experiment.name}: ${note}\n`);
  const stated = { gpu: DEFAULT_GPU, benchData: null, ...statedConfig(experiment) };
  const config = mergeConfig(stated, givenConfig(argv, DEPLOYMENT_FLAGS)) as typeof stated;
  const deployment = deploymentOf(config);
  return experiment.runs.map((run) => {
    const server = withFlagNames(argv, DEPLOYMENT_FLAGS, () =>
      createServer(
        deployment,
        parseConfig(engineConfigSchema, config.engine, "engine"),
        parseConfig(samplingConfigSchema, config.sampling, "sampling"),
      ),
    );
    const { records } = runServer(server, replayWorkload(run));
    const { metrics, perRequest, numCompared } = compareRun(run.measured, records);
    return {
      name: run.name,
      model: config.model,
      gpu: config.gpu,
      tensorParallelSize: server.engine.tensorParallelSize,
      numRequests: run.specs.length,
      numCompared,
      excluded: run.excluded,
      metrics,
      perRequest,
    };
  });
}

function writeReport(report: EvaluationReport, argv: Arguments): void {
  process.stdout.write(argv.format === "json" ? `${JSON.stringify(report, null, 2)}\n` : evaluationTable(report));
}
