import type { ArgumentsCamelCase } from "yargs";
import { mergeConfig } from "../../core/config/mergeConfig.js";
import { type PricingConfig, STEP_MODELS, type StepModelName } from "../../core/config/pricingConfig.js";
import type { Deployment } from "../../core/engine/createServer.js";
import { ConfigError, type ConfigIssue } from "../../core/errors/simulationError.js";
import { BREAKDOWNS, type Breakdown, errorBreakdown } from "../../core/evaluation/errorBreakdown.js";
import { evaluateRun, type ReplayedRun, type ServerRunConfig } from "../../core/evaluation/evaluateRun.js";
import { type EvaluatedRun, type EvaluationReport, evaluationReport } from "../../core/evaluation/evaluationReport.js";
import { type MeasuredQuantiles, measuredQuantiles } from "../../core/evaluation/measuredQuantiles.js";
import { unstatedNotes } from "../../core/evaluation/replayRun.js";
import { predictionIntervals } from "../../core/evaluation/uncertainty/predictionIntervals.js";
import type { MeasuredExperiment } from "../../core/metrics/measuredExperiment.js";
import { measuredConfig } from "../../io/groundTruth/measuredConfig.js";
import { readMeasuredExperiments } from "../../io/groundTruth/readMeasuredExperiments.js";
import { withFileHashes } from "../../io/pricingFiles.js";
import type { CommandBody } from "../commandTable.js";
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
import { type ModelEvaluation, modelComparisonTable } from "../modelComparisonTable.js";
import { endProgress, showProgress } from "../progressLine.js";
import { addReportOption, reportFile, writeReportPage } from "../reportOption.js";
import { addUncertaintyOption, uncertaintyDraws } from "../uncertaintyOption.js";

const EXAMPLES = examplesText([
  ["evaluate runs/", "every experiment below a folder"],
  ["evaluate runs/ --compare", "our step model beside the two baselines"],
  ["evaluate run1 run2 --gpu A100-80 --format json", "two folders, measured on A100"],
  ["evaluate runs/ --uncertainty", "80 % intervals, and how often they held what was measured"],
  ["evaluate runs/ --report runs.html", "the same in pictures"],
  ["evaluate my-h200 --bench-data tables", "engine steps that bench_data/collect measured, beside the built-in prices"],
  ["evaluate runs/ --breakdown load", "errors at each offered load; of each run with --format json"],
]);

export const evaluateCommand: CommandBody = {
  builder: (command) =>
    addReportOption(
      addUncertaintyOption(addDeploymentOptions(command, ["table", "json"])),
      "predicted against measured, errors by run, and both distributions",
    )
      .positional("path", {
        type: "string",
        array: true,
        describe:
          "inference-perf or GuideLLM folders, ground-truth JSON files, or folders of these; or measured steps (whole_step/<gpu>.json, or the folder that bench_data/collect wrote)",
      })
      .option("compare", {
        type: "boolean",
        group: "Output:",
        describe: `replay on each step model and lay their errors side by side: ${STEP_MODELS.join(", ")}`,
      })
      .option("breakdown", {
        choices: BREAKDOWNS,
        requiresArg: true,
        group: "Output:",
        describe:
          "errors by group over all runs too: phase (to the first token, after it), batch (requests in flight at arrival), context (prompt and output tokens), load (the client's stages)",
      })
      .conflicts("compare", ["breakdown", "uncertainty", "report"])
      .epilogue(
        `${EXAMPLES}\n\nModel, TP, limits, KV blocks and sampling come from the files; flags win. The GPU is rarely in the files: ` +
          "it is H100 unless --gpu says otherwise.",
      ),
  handler: async (argv: ArgumentsCamelCase) => {
    if (await evaluateWholeSteps(argv)) return;
    const file = await reportFile(argv);
    if (argv.compare === true) withFlagNames(argv, DEPLOYMENT_FLAGS, () => rejectOwnStepModel(argv));
    const experiments = (argv.path as string[]).flatMap((path) => readMeasuredExperiments(path, givenModel(argv)));
    if (argv.compare === true) {
      writeComparison(
        STEP_MODELS.map((stepModel) => ({ stepModel, report: evaluateAll(experiments, argv, stepModel).report })),
        argv,
      );
      return;
    }
    const { report, quantiles } = evaluateAll(experiments, argv, null);
    writeReport(report, argv);
    if (file === null) return;
    const { evaluationPage } = await import("../../io/report/evaluationPage.js");
    await writeReportPage(file, evaluationPage(report, quantiles, givenConfig(argv, DEPLOYMENT_FLAGS) as object));
  },
};

/**
 * Compares measured steps, where the paths are files of these.
 * @returns false where they are not
 * @throws ConfigError for a mix of steps and runs, and for options that only runs have
 */
async function evaluateWholeSteps(argv: Arguments): Promise<boolean> {
  const { wholeStepFilesAt } = await import("../../io/groundTruth/wholeStepFile.js");
  const paths = argv.path as string[];
  const found = paths.map(wholeStepFilesAt);
  const files = [...new Set(found.flat())];
  if (files.length === 0) return false;
  const runs = paths.filter((_, i) => found[i]!.length === 0);
  const issues = (["compare", "breakdown", "uncertainty", "report"] as const)
    .filter((option) => argv[option] !== undefined && argv[option] !== false)
    .map((option): ConfigIssue => {
      const compared = "; steps are compared with the built-in prices unasked, where others are given";
      const allowed = `leave it out: it needs runs, not single steps${option === "compare" ? compared : ""}`;
      return { path: `--${option}`, received: String(argv[option]), allowed };
    });
  const [run] = runs;
  if (run !== undefined) issues.push({ path: "path", received: run, allowed: "steps and runs are evaluated apart" });
  if (issues.length > 0) throw new ConfigError(issues);
  const { evaluateSteps } = await import("../../io/groundTruth/evaluateSteps.js");
  const { stepEvaluationTable } = await import("../stepEvaluationTable.js");
  const evaluation = withFlagNames(argv, DEPLOYMENT_FLAGS, () =>
    evaluateSteps(files, givenConfig(argv, DEPLOYMENT_FLAGS), deploymentOf),
  );
  for (const note of evaluation.notes) process.stderr.write(`note: ${note}\n`);
  process.stdout.write(
    argv.format === "json" ? `${JSON.stringify(evaluation, null, 2)}\n` : stepEvaluationTable(evaluation),
  );
  return true;
}

/** A comparison replays on every step model: one of its own would be ignored. @throws ConfigError */
function rejectOwnStepModel(argv: Arguments): void {
  const { pricing } = givenConfig(argv, DEPLOYMENT_FLAGS) as { pricing?: Partial<PricingConfig> };
  const { stepModel, toggleHypotheses } = pricing ?? {};
  const allowed = `leave it out: --compare replays on ${STEP_MODELS.join(", ")}, each as it is`;
  const issues: ConfigIssue[] = [];
  // A result's config, given with --config, states the default.
  const isAsked = argv["step-model"] !== undefined || stepModel !== "additive";
  if (stepModel !== undefined && isAsked) issues.push({ path: "pricing.stepModel", received: stepModel, allowed });
  if (typeof toggleHypotheses === "string") {
    issues.push({ path: "pricing.toggleHypotheses", received: toggleHypotheses, allowed });
  }
  if (issues.length > 0) throw new ConfigError(issues);
}

/** What a command's replays came to; `quantiles` stand beside the report's experiments, empty without `--report`. */
interface Evaluation {
  readonly report: EvaluationReport;
  readonly quantiles: readonly MeasuredQuantiles[];
}

/** Replays every run. @param stepModel in place of the config's, or null */
function evaluateAll(
  experiments: readonly MeasuredExperiment[],
  argv: Arguments,
  stepModel: StepModelName | null,
): Evaluation {
  const evaluated = experiments.map((experiment, i) => {
    showProgress(i + 1, experiments.length, `${stepModel ?? ""} ${experiment.name}`.trim());
    return evaluateExperiment(experiment, argv, stepModel);
  });
  endProgress();
  const { schema, ...report } = evaluationReport(evaluated.flatMap(({ runs }) => runs));
  const quantiles = evaluated.flatMap((one) => one.quantiles);
  // No measured run says how to price its steps, so all are priced alike.
  const [first] = evaluated;
  if (first === undefined) return { report: { schema, ...report }, quantiles };
  const { pricing, benchData } = withFileHashes(first.config);
  return { report: { schema, pricing, benchData, ...report }, quantiles };
}

function givenModel(argv: Arguments): string | null {
  const { model } = givenConfig(argv, DEPLOYMENT_FLAGS) as { model?: unknown };
  return typeof model === "string" ? model : null;
}

function evaluateExperiment(
  experiment: MeasuredExperiment,
  argv: Arguments,
  stepModel: StepModelName | null,
): {
  readonly config: ServerRunConfig;
  readonly runs: readonly EvaluatedRun[];
  readonly quantiles: readonly MeasuredQuantiles[];
} {
  for (const note of [...experiment.notes, ...unstatedNotes(experiment)])
    process.stderr.write(`${experiment.name}: ${note}\n`);
  const { config, deployment } = withFlagNames(argv, DEPLOYMENT_FLAGS, () => {
    const given = givenConfig(argv, DEPLOYMENT_FLAGS);
    const config = measuredConfig(
      experiment,
      stepModel === null ? given : mergeConfig(given, { pricing: { stepModel } }),
    );
    return { config, deployment: deploymentOf(config) };
  });
  const quantiles: MeasuredQuantiles[] = [];
  const runs = experiment.runs.map((run) => {
    const replayed = withFlagNames(argv, DEPLOYMENT_FLAGS, () => evaluateRun(deployment, config, run));
    if (argv.report !== undefined) quantiles.push(measuredQuantiles(replayed));
    return {
      ...replayed.evaluated,
      ...uncertaintyOf(deployment, config, replayed, argv),
      ...(argv.breakdown === undefined ? {} : { breakdown: errorBreakdown(argv.breakdown as Breakdown, replayed) }),
    };
  });
  return { config, runs, quantiles };
}

/** The run's intervals, where `--uncertainty` asks for them. */
function uncertaintyOf(
  deployment: Deployment,
  config: ServerRunConfig,
  replayed: ReplayedRun,
  argv: Arguments,
): Pick<EvaluatedRun, "uncertainty"> {
  const draws = uncertaintyDraws(argv);
  if (draws === null) return {};
  const onDraw = (draw: number) => showProgress(draw + 1, draws, `${replayed.run.name}: possible worlds`);
  return { uncertainty: { draws, intervals: predictionIntervals(deployment, config, replayed, { draws, onDraw }) } };
}

function writeReport(report: EvaluationReport, argv: Arguments): void {
  process.stdout.write(argv.format === "json" ? `${JSON.stringify(report, null, 2)}\n` : evaluationTable(report));
}

function writeComparison(models: readonly ModelEvaluation[], argv: Arguments): void {
  const compare = models.map(({ stepModel, report }) => ({ stepModel, ...report }));
  process.stdout.write(
    argv.format === "json"
      ? `${JSON.stringify({ schema: "roofserve.evaluate-compare/1", compare }, null, 2)}\n`
      : modelComparisonTable(models),
  );
}
