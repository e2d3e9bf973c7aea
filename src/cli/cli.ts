import yargs from "yargs";
import { ROOFSERVE_VERSION } from "../core/engine/version.js";
import { ConfigError } from "../core/errors/simulationError.js";
import { benchDataCommand } from "./commands/benchData.js";
import { calibrateCommand } from "./commands/calibrate.js";
import { characterizeCommand } from "./commands/characterize.js";
import { evaluateCommand } from "./commands/evaluate.js";
import { explainCommand } from "./commands/explain.js";
import { gpusCommand } from "./commands/gpus.js";
import { hypothesesCommand } from "./commands/hypotheses.js";
import { modelsCommand } from "./commands/models.js";
import { replayCommand } from "./commands/replay.js";
import { runCommand } from "./commands/run.js";
import { stepCommand } from "./commands/step.js";
import { rejectDash } from "./dashArgument.js";
import { EXIT_CODE } from "./exitCode.js";
import { rejectContradictions, rejectRepeatedFlags } from "./repeatedFlags.js";
import { explainUsageProblem } from "./usageProblem.js";

const EPILOGUE = `First steps:
  roofserve run                                a chat workload on Llama-3.1-8B-Instruct and one H100
  roofserve run -m Qwen/Qwen3-14B -g L40S      another model and GPU: roofserve models, roofserve gpus
  roofserve run --help                         every option, with examples

Exit codes: 0 done; 2 usage or config; 3 data file; 4 the plan cannot work; 70 a bug in roofserve.
stdout carries the result and nothing else; progress and warnings go to stderr.`;

const COMMANDS = [
  "run",
  "replay",
  "evaluate",
  "calibrate",
  "hypotheses",
  "step",
  "explain",
  "models",
  "gpus",
  "bench-data",
  "characterize",
];

/**
 * Parses a command line and runs its command.
 * @returns the exit code
 * @throws SimulationError, or whatever a command throws; the caller maps it to an exit code
 */
export async function runCli(args: readonly string[]): Promise<number> {
  rejectContradictions(args);
  rejectDash(args);
  // What follows a bare -- would escape the check for unknown arguments; vLLM writes -tp with one dash.
  const parser = yargs(args.filter((arg) => arg !== "--").map((arg) => (arg === "-tp" ? "--tp" : arg)))
    .scriptName("roofserve")
    .usage("$0 <command>\n\nPredict how an LLM serves a workload on a GPU: TTFT, TPOT and end-to-end latency.")
    .command(runCommand)
    .command(replayCommand)
    .command(evaluateCommand)
    .command(calibrateCommand)
    .command(hypothesesCommand)
    .command(stepCommand)
    .command(explainCommand)
    .command(modelsCommand)
    .command(gpusCommand)
    .command(benchDataCommand)
    .command(characterizeCommand)
    .middleware(rejectRepeatedFlags, true)
    .demandCommand(1, "say what to do: roofserve run gives a first answer, roofserve --help lists the commands")
    .strict()
    .parserConfiguration({ "parse-numbers": false, "dot-notation": false, "strip-aliased": true })
    .version(ROOFSERVE_VERSION)
    .help()
    .alias("help", "h")
    .epilogue(EPILOGUE)
    .wrap(Math.min(120, process.stdout.columns ?? 100))
    .exitProcess(false)
    .fail((message, error) => {
      // yargs throws some of its own complaints (a flag without its value) and hands over others as a message.
      if (error && error.name !== "YError") throw error;
      throw new ConfigError(explainUsageProblem(message ?? error.message, args, knownFlags(parser), COMMANDS));
    });
  await parser.parseAsync();
  return EXIT_CODE.done;
}

/** Flags of the command being parsed; yargs' types leave `getOptions` out. */
function knownFlags(parser: object): string[] {
  const { getOptions } = parser as { getOptions(): { key: object; alias: Record<string, string[]> } };
  const { key, alias } = getOptions.call(parser);
  return [...Object.keys(key), ...Object.values(alias).flat()];
}
