import type { ArgumentsCamelCase, CommandModule } from "yargs";
import { parseConfig } from "../../core/config/parseConfig.js";
import { type RunConfig, runConfigSchema } from "../../core/engine/runConfig.js";
import type { StepObserver } from "../../core/engine/runResult.js";
import { simulateRequests } from "../../core/engine/simulate.js";
import { ConfigError } from "../../core/errors/simulationError.js";
import { measuredEngineOptions, replayWorkload } from "../../core/evaluation/replayRun.js";
import type { MeasuredExperiment, MeasuredRun } from "../../core/metrics/measuredExperiment.js";
import { workloadFromSpecs } from "../../core/workload/specWorkload.js";
import type { Workload } from "../../core/workload/workload.js";
import { findGroundTruth, readMeasuredExperiments } from "../../io/groundTruth/readMeasuredExperiments.js";
import { readTrace } from "../../io/traces/readTrace.js";
import { mergeConfig } from "../configFlags.js";
import {
  type Arguments,
  addDeploymentOptions,
  DEPLOYMENT_FLAGS,
  deploymentOf,
  givenConfig,
  withFlagNames,
} from "../deploymentOptions.js";
import { addRunOutputOptions, writeRun } from "../runOutput.js";

/** What a path holds, as a workload with the config its files state. */
interface Replay {
  readonly label: string;
  readonly stated: object;
  readonly workload: Workload;
}

export const replayCommand: CommandModule = {
  command: "replay <path>",
  describe: "replay a benchmark run or a trace, request by request",
  builder: (command) =>
    addRunOutputOptions(addDeploymentOptions(command, ["table", "json", "csv"]))
      .positional("path", {
        type: "string",
        demandOption: true,
        describe:
          "inference-perf or GuideLLM folder, ground-truth JSON, or a trace (Mooncake, Azure, BurstGPT, OTel, CSV, JSONL)",
      })
      .option("benchmark", {
        type: "string",
        requiresArg: true,
        describe: "which benchmark of a file with several: its name or its number from 0 [default: 0]",
      })
      .option("time-scale", {
        type: "string",
        requiresArg: true,
        describe: "factor on a trace's arrival times: 0.5 = twice the request rate [default: 1]",
      })
      .option("limit", { type: "string", requiresArg: true, describe: "requests of a trace at most, from its start" })
      .example("$0 replay conversation_trace.jsonl -m Qwen/Qwen3-32B --tp 2", "a Mooncake trace")
      .example("$0 replay results/requests.csv", "what `run --out results` wrote")
      .epilogue("Model, TP, limits and sampling come from the path's files where they say so; flags win."),
  handler: async (argv: ArgumentsCamelCase) => {
    const path = String(argv.path);
    const { label, stated, workload } =
      findGroundTruth(path, 0).length > 0 ? measuredReplay(path, argv) : await traceReplay(path, argv);
    const config = withFlagNames(argv, DEPLOYMENT_FLAGS, () =>
      parseConfig(
        runConfigSchema,
        mergeConfig(withTraceWorkload(stated, path), withoutWorkload(givenConfig(argv, DEPLOYMENT_FLAGS))),
        "",
      ),
    ) as RunConfig;
    const deployment = deploymentOf(config, argv);
    const simulate = (observer: StepObserver | null) =>
      withFlagNames(argv, DEPLOYMENT_FLAGS, () => simulateRequests(deployment, config, workload, observer));
    writeRun(argv, simulate, label);
  },
};

/** The workload section of the resolved config: the trace itself. */
function withTraceWorkload(stated: object, path: string): object {
  return { ...stated, workload: { profile: { kind: "trace" }, data: { kind: "trace", path }, description: "replay" } };
}

function withoutWorkload(config: unknown): unknown {
  const { workload: _ignored, ...rest } = config as { workload?: unknown };
  return rest;
}

async function traceReplay(path: string, argv: Arguments): Promise<Replay> {
  const { specs, warnings } = await readTrace(path, {
    ...(argv["time-scale"] === undefined ? {} : { timeScale: Number(argv["time-scale"]) }),
    ...(argv.limit === undefined ? {} : { limit: Number(argv.limit) }),
  });
  for (const warning of warnings) process.stderr.write(`note: ${warning}\n`);
  return { label: "replay", stated: {}, workload: workloadFromSpecs(specs) };
}

function measuredReplay(path: string, argv: Arguments): Replay {
  const [experiment] = readMeasuredExperiments(path) as [MeasuredExperiment];
  for (const note of experiment.notes) process.stderr.write(`note: ${note}\n`);
  const run = chooseRun(experiment, argv.benchmark === undefined ? null : String(argv.benchmark));
  return {
    label: run.name,
    stated: {
      model: experiment.model,
      ...(experiment.gpu === null ? {} : { gpu: experiment.gpu }),
      engine: measuredEngineOptions(experiment),
      sampling: experiment.sampling,
    },
    workload: replayWorkload(run),
  };
}

function chooseRun({ runs }: MeasuredExperiment, wanted: string | null): MeasuredRun {
  const names = runs.map((run, i) => `${i} (${run.name})`).join(", ");
  if (wanted === null && runs.length > 1) process.stderr.write(`note: replaying benchmark 0 of ${names}\n`);
  const run = runs.find((candidate, i) => candidate.name === wanted || String(i) === (wanted ?? "0"));
  if (run !== undefined) return run;
  throw new ConfigError([
    { path: "--benchmark", received: JSON.stringify(wanted), allowed: `must be one of ${names}` },
  ]);
}
