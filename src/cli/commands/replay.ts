import type { ArgumentsCamelCase } from "yargs";
import * as z from "zod";
import { mergeConfig } from "../../core/config/mergeConfig.js";
import { parseConfig } from "../../core/config/parseConfig.js";
import { type RunConfig, runConfigSchema } from "../../core/engine/runConfig.js";
import { simulateStreaming } from "../../core/engine/simulate.js";
import { loadDeployment } from "../../io/loadDeployment.js";
import { withFileHashes } from "../../io/pricingFiles.js";
import { type ReplayOptions, readReplaySource } from "../../io/replaySource.js";
import type { CommandBody } from "../commandTable.js";
import {
  type Arguments,
  addDeploymentOptions,
  DEPLOYMENT_FLAGS,
  deploymentOf,
  givenConfig,
  numberFlag,
  withFlagNames,
} from "../deploymentOptions.js";
import { examplesText } from "../examples.js";
import { addRunOutputOptions, type RunWatch, writeRun } from "../runOutput.js";
import { addUncertaintyOption, uncertaintyOf } from "../uncertaintyOption.js";

const EXAMPLES = examplesText([
  ["replay conversation_trace.jsonl -m Qwen/Qwen3-32B --tp 2", "a Mooncake trace"],
  ["replay trace.csv --time-scale 0.5 --limit 1000", "the first 1000 requests at twice the rate"],
  ["replay results/", "what run --out results wrote: the same result again"],
  ["replay month.csv --requests-out rows.csv", "a trace of any length, its requests written as they end"],
]);

export const replayCommand: CommandBody = {
  builder: (command) =>
    addUncertaintyOption(addRunOutputOptions(addDeploymentOptions(command, ["table", "json", "csv"])))
      .positional("path", {
        type: "string",
        demandOption: true,
        describe:
          "folder of run --out, inference-perf or GuideLLM folder, ground-truth JSON, or a trace (Mooncake, Azure, BurstGPT, OTel, CSV, JSONL)",
      })
      .option("benchmark", {
        type: "string",
        requiresArg: true,
        describe: "which benchmark of a file with several: its name or its number from 0 [default: 0]",
      })
      .option("time-scale", {
        requiresArg: true,
        describe: "factor on a trace's arrival times: 0.5 = twice the request rate [default: 1]",
      })
      .option("limit", { requiresArg: true, describe: "requests of a trace at most, from its start" })
      .epilogue(
        `${EXAMPLES}\n\nModel, TP, limits and sampling come from the path's files where they say so; flags win.\nA long trace is read while the run goes if it is sorted by arrival; any other is held in memory.`,
      ),
  handler: async (argv: ArgumentsCamelCase) => {
    const source = await readReplaySource(String(argv.path), replayOptions(argv));
    for (const note of source.notes) process.stderr.write(`note: ${note}\n`);
    const { workload: _ignored, ...given } = givenConfig(argv, DEPLOYMENT_FLAGS) as { workload?: unknown };
    const stated: RunConfig = withFlagNames(argv, DEPLOYMENT_FLAGS, () =>
      parseConfig(runConfigSchema, mergeConfig(source.stated, given), ""),
    );
    const deployment = deploymentOf(stated);
    const config = withFileHashes(stated);
    const { openWorkload, label } = source;
    const intervals = await uncertaintyOf(argv, deployment, config, { openWorkload, run: label, isGenerated: false });
    const simulate = (watch: RunWatch) =>
      withFlagNames(argv, DEPLOYMENT_FLAGS, () =>
        intervals(simulateStreaming(deployment, config, openWorkload(), watch)),
      );
    await writeRun(
      argv,
      simulate,
      label,
      (changed) => simulateStreaming(loadDeployment(changed), changed, openWorkload()).summary,
    );
  },
};

function replayOptions(argv: Arguments): ReplayOptions {
  const timeScale = numberFlag(argv, "time-scale", z.number().gt(0).max(1e6));
  const limit = numberFlag(argv, "limit", z.number().int().min(1));
  const { model } = givenConfig(argv, DEPLOYMENT_FLAGS) as { model?: unknown };
  return {
    ...(argv.benchmark === undefined ? {} : { benchmark: String(argv.benchmark) }),
    ...(typeof model === "string" ? { model } : {}),
    ...(timeScale === null ? {} : { timeScale }),
    ...(limit === null ? {} : { limit }),
  };
}
