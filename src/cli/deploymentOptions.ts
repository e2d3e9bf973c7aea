import type { Argv } from "yargs";
import type * as z from "zod";
import { engineConfigSchema, samplingConfigSchema } from "../core/config/engineConfig.js";
import { mergeConfig } from "../core/config/mergeConfig.js";
import { parseConfig, printValue } from "../core/config/parseConfig.js";
import { pricingConfigSchema } from "../core/config/pricingConfig.js";
import type { Deployment } from "../core/engine/createServer.js";
import { runConfigSchema } from "../core/engine/runConfig.js";
import { ConfigError } from "../core/errors/simulationError.js";
import { type DeploymentConfig, loadDeployment } from "../io/loadDeployment.js";
import { readStructuredFile } from "../io/structuredFile.js";
import { type ConfigFlag, configFromFlags, flagsOf, flagValue, nameFlags } from "./configFlags.js";
import { withOurWords } from "./vllmWords.js";

/** What a command line was parsed to. */
export type Arguments = Readonly<Record<string, unknown>>;

const TOP_FLAGS = flagsOf(runConfigSchema.pick({ model: true, gpu: true, benchData: true, seed: true }), "", {
  model: "m",
  gpu: "g",
});
const ENGINE_FLAGS = flagsOf(engineConfigSchema, "engine", { tensorParallelSize: "tp" });
const SAMPLING_FLAGS = flagsOf(samplingConfigSchema, "sampling");
const PRICING_FLAGS = flagsOf(pricingConfigSchema.omit({ fileSha256: true }), "pricing");

/** Flags that say what is served, on what, and how: vLLM's names for vLLM's options. */
export const DEPLOYMENT_FLAGS: readonly ConfigFlag[] = [
  ...TOP_FLAGS,
  ...ENGINE_FLAGS,
  ...SAMPLING_FLAGS,
  ...PRICING_FLAGS,
];

/**
 * Adds the deployment flags, `--config` and `--format` to a command.
 * @param without flags that the command does not know
 * @param refused flags that it knows only to refuse them with a reason: its help does not list them
 */
export function addDeploymentOptions<T>(
  command: Argv<T>,
  formats: readonly string[],
  { without = [], refused = [] }: { without?: readonly string[]; refused?: readonly string[] } = {},
): Argv<T> {
  const taken = (flags: readonly ConfigFlag[]) => flags.filter(({ name }) => !without.includes(name));
  addFlags(command, taken(TOP_FLAGS), "Deployment:");
  addFlags(command, taken(ENGINE_FLAGS), "Engine (vLLM's options):");
  addFlags(command, taken(SAMPLING_FLAGS), "Sampling:");
  addFlags(command, taken(PRICING_FLAGS), "Step prices:");
  for (const flag of refused) command.hide(flag);
  return command
    .option("config", {
      type: "string",
      requiresArg: true,
      group: "Deployment:",
      describe:
        "JSON or YAML file with any of these options, as in a result's `config`; flags win, and paths in it start from the working directory",
    })
    .option("format", {
      choices: formats,
      default: "table",
      requiresArg: true,
      group: "Output:",
      describe: "what stdout carries",
    }) as Argv<T>;
}

/** Declares flags of a config; numbers stay text, so that the schema, not yargs, judges them. */
export function addFlags<T>(command: Argv<T>, flags: readonly ConfigFlag[], group: string): Argv<T> {
  for (const flag of flags) {
    command.option(flag.name, {
      ...(flag.kind === "number" ? {} : { type: flag.kind === "boolean" ? "boolean" : "string" }),
      ...(flag.alias === undefined ? {} : { alias: flag.alias }),
      ...(flag.kind === "boolean" ? {} : { requiresArg: true }),
      describe: flag.describe,
      group,
    });
  }
  return command;
}

/** The config a command line and its `--config` file say, unparsed. */
export function givenConfig(argv: Arguments, flags: readonly ConfigFlag[]): unknown {
  const file = argv.config === undefined ? {} : configFile(String(argv.config));
  return withOurWords(mergeConfig(file, configFromFlags(flags, argv)));
}

/** A number that is no field of the config, by the same rules; null when the flag is not there. */
export function numberFlag(argv: Arguments, flag: string, schema: z.ZodNumber): number | null {
  const given = argv[flag];
  if (given === undefined) return null;
  return parseConfig(schema, flagValue(given, "number"), `--${flag}`);
}

/** Runs `parse`, naming flags rather than config paths in its errors. */
export function withFlagNames<T>(argv: Arguments, flags: readonly ConfigFlag[], parse: () => T): T {
  try {
    return parse();
  } catch (error) {
    throw nameFlags(error, flags, argv);
  }
}

/** Loads what a config names: model, GPU and kernel data; says on stderr, once, what the user should know of it. */
export function deploymentOf(config: DeploymentConfig): Deployment {
  const deployment = loadDeployment(config);
  const known = deployment.notes?.() ?? [];
  for (const note of known) process.stderr.write(`note: ${note}\n`);
  if (deployments.length === 0) process.once("exit", writeLateNotes);
  deployments.push({ deployment, known });
  return deployment;
}

/** What was loaded so far, with the notes that were written at once. */
const deployments: { readonly deployment: Deployment; readonly known: readonly string[] }[] = [];

/** Notes that only a run brings about: kernels without a table. */
function writeLateNotes(): void {
  const late = deployments.flatMap(({ deployment, known }) =>
    (deployment.notes?.() ?? []).filter((note) => !known.includes(note)),
  );
  for (const note of new Set(late)) process.stderr.write(`note: ${note}\n`);
}

/** A config file may be a whole result: then its `config` is meant. */
function configFile(file: string): unknown {
  const content = optionsOf(readStructuredFile(file), file);
  if (!("schema" in content)) return content;
  if ("config" in content) return optionsOf(content.config, `${file}: config`);
  const allowed = "only a result of run or replay says its config; give one of these, or a file of options";
  throw new ConfigError([{ path: file, received: printValue(content.schema), allowed }]);
}

function optionsOf(value: unknown, path: string): object {
  if (typeof value === "object" && value !== null && !Array.isArray(value)) return value;
  const allowed = "must be an object of options such as {model: …, engine: {maxNumSeqs: …}}";
  throw new ConfigError([{ path, received: printValue(value), allowed }]);
}
