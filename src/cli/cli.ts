import yargs, { type CommandModule } from "yargs";
import * as z from "zod";
import { ROOFSERVE_VERSION } from "../core/engine/version.js";
import { ConfigError } from "../core/errors/simulationError.js";
import { COMMANDS, commandName } from "./commandTable.js";
import { rejectDash } from "./dashArgument.js";
import { EXIT_CODE } from "./exitCode.js";
import { rejectContradictions, rejectRepeatedFlags } from "./repeatedFlags.js";
import { explainUsageProblem } from "./usageProblem.js";

const EPILOGUE = `First steps:
  roofserve run                                a chat workload on Llama-3.1-8B-Instruct and one H100
  roofserve run -m Qwen/Qwen3-14B -g L40S      another model and GPU: roofserve models, roofserve gpus
  roofserve sweep                              where that server saturates, and what it carries
  roofserve run --help                         every option, with examples

Exit codes: 0 done; 2 usage or config; 3 data file; 4 the plan cannot work; 70 a bug in roofserve.
stdout carries the result and nothing else; progress and warnings go to stderr.`;

/** Commands whose schemas parse once. */
const READS_A_CONFIG: ReadonlySet<string> = new Set(["run", "step", "models", "gpus"]);

/**
 * Parses a command line and runs its command.
 * @returns the exit code
 * @throws SimulationError, or whatever a command throws; the caller maps it to an exit code
 */
export async function runCli(args: readonly string[]): Promise<number> {
  // zod compiles a parser for every schema, which pays for files of many rows and not for a config.
  if (READS_A_CONFIG.has(args[0] ?? "")) z.config({ jitless: true });
  rejectContradictions(args);
  rejectDash(args);
  // What follows a bare -- would escape the check for unknown arguments; vLLM writes -tp with one dash.
  const parser = yargs(args.filter((arg) => arg !== "--").map((arg) => (arg === "-tp" ? "--tp" : arg)))
    .scriptName("roofserve")
    .usage("$0 <command>\n\nPredict how an LLM serves a workload on a GPU: TTFT, TPOT and end-to-end latency.")
    .command(await commandModules(args))
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
      throw new ConfigError(
        explainUsageProblem(message ?? error.message, args, knownFlags(parser), COMMANDS.map(commandName)),
      );
    });
  renderNoUnaskedHelp(parser);
  await parser.parseAsync();
  return EXIT_CODE.done;
}

/** Every command for yargs: those that the command line may mean with their options, the others by name only. */
function commandModules(args: readonly string[]): Promise<CommandModule[]> {
  return Promise.all(
    COMMANDS.map(async (entry) => {
      const { command, describe, load } = entry;
      const body = args.includes(commandName(entry)) ? await load() : { builder: {}, handler: () => {} };
      return { command, describe, ...body };
    }),
  );
}

/**
 * Once a command has run, yargs renders its help and keeps it, for callers that parse again. Nobody does here, and
 * laying out forty options takes longer than a small simulation. Types leave these methods out.
 */
function renderNoUnaskedHelp(parser: object): void {
  const { getInternalMethods } = parser as {
    getInternalMethods(): { getUsageInstance(): { cacheHelpMessage: () => void } };
  };
  getInternalMethods.call(parser).getUsageInstance().cacheHelpMessage = () => {};
}

/** Flags of the command being parsed; yargs' types leave `getOptions` out. */
function knownFlags(parser: object): string[] {
  const { getOptions } = parser as { getOptions(): { key: object; alias: Record<string, string[]> } };
  const { key, alias } = getOptions.call(parser);
  return [...Object.keys(key), ...Object.values(alias).flat()];
}
