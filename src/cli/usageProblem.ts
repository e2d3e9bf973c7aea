import { nearestName } from "../core/config/nearestName.js";
import type { ConfigIssue } from "../core/errors/simulationError.js";
import { BENCH_DATA_ACTIONS } from "./benchDataActions.js";

/** What the commands with positional arguments need. */
const NEEDED_ARGUMENTS: Readonly<Record<string, string>> = {
  replay: "a path: a trace, or the folder of a benchmark run",
  evaluate: "one or more paths: folders of benchmark runs",
  explain: "a step log, as run --step-log writes it",
  calibrate: "a path: the folder or file of one benchmark run",
  check: "a folder of kernel tables",
  import: "a measured folder; or a database and its checkout: aiconfigurator <folder>",
};

/**
 * Puts yargs' complaint into issues, with the flag or command that was probably meant.
 * @param knownFlags flags of the command being parsed, without dashes
 */
export function explainUsageProblem(
  message: string,
  args: readonly string[],
  knownFlags: readonly string[],
  knownCommands: readonly string[],
): ConfigIssue[] {
  const unknown = /^Unknown (?:arguments?|commands?): (.+)/.exec(message)?.[1];
  if (unknown !== undefined) return explainUnknown(unknown.split(", "), args, knownFlags, knownCommands);
  const withoutValue = /^Not enough arguments following: (.+)$/.exec(message)?.[1];
  if (withoutValue !== undefined) {
    return [
      {
        path: withoutValue.length === 1 ? `-${withoutValue}` : `--${withoutValue}`,
        received: "nothing",
        allowed: "needs a value",
      },
    ];
  }
  if (message.startsWith("Invalid values:")) return explainChoices(message);
  const exclusive = /^Arguments (\S+) and (\S+) are mutually exclusive$/.exec(message);
  if (exclusive !== null) {
    return [{ path: `--${exclusive[1]}`, received: `also --${exclusive[2]}`, allowed: "give one of the two" }];
  }
  const received = args.length === 0 ? "nothing" : args.join(" ");
  if (message.startsWith("Not enough non-option arguments")) {
    const command = args.find((arg) => arg in NEEDED_ARGUMENTS) ?? "";
    const allowed = `needs ${NEEDED_ARGUMENTS[command] ?? "another argument"}; add --help to see how`;
    return [{ path: "command line", received, allowed }];
  }
  const missing = /^Missing required arguments?: ([^\n]+)\n?(.*)$/s.exec(message);
  if (missing !== null) return explainMissing(missing[1]!.split(", "), missing[2]!.split("\n"), args, knownFlags);
  return [{ path: "command line", received, allowed: message.replaceAll("\n", " ") }];
}

/** Required flags that are not there; each is perhaps there, mistyped. */
function explainMissing(
  flags: readonly string[],
  demands: readonly string[],
  args: readonly string[],
  knownFlags: readonly string[],
): ConfigIssue[] {
  const mistyped = args
    .filter((arg) => /^--[a-z]/i.test(arg) && !knownFlags.includes(bareName(arg)))
    .map((arg) => unknownFlag(arg.split("=")[0]!, bareName(arg), knownFlags));
  const missing = flags.map((flag, i) => ({
    path: `--${flag}`,
    received: "nothing",
    allowed: demands[i] || "it must be given",
  }));
  return [...mistyped, ...missing];
}

function explainUnknown(
  names: readonly string[],
  args: readonly string[],
  knownFlags: readonly string[],
  knownCommands: readonly string[],
): ConfigIssue[] {
  const action = mistypedAction(args);
  if (action !== null) return [action];
  // yargs lists camelCase spellings too: only what was typed counts.
  const typed = names.map((name) => [name, args.find((arg) => bareName(arg) === name)] as const);
  const issues = typed.flatMap(([name, arg]): ConfigIssue[] => {
    if (arg === undefined) return [];
    if (arg.startsWith("-")) return [unknownFlag(arg, name, knownFlags)];
    return [arg === args[0] ? unknownCommand(arg, knownCommands) : unexpectedArgument(arg, args)];
  });
  return issues.length > 0 ? issues : [unexpectedArgument(names.join(", "), args)];
}

/** `bench-data imprt my-gpu` reads as a list of the folder `imprt`, with an argument too many. */
function mistypedAction([command, typed = ""]: readonly string[]): ConfigIssue | null {
  if (command !== "bench-data" || typed.startsWith("-") || BENCH_DATA_ACTIONS.includes(typed)) return null;
  const near = nearestName(typed, BENCH_DATA_ACTIONS);
  if (near === null) return null;
  return { path: "command", received: JSON.stringify(typed), allowed: `did you mean roofserve bench-data ${near}?` };
}

/** `--no-frob=3` → `frob`, as yargs reports it. */
function bareName(arg: string): string {
  return arg.startsWith("-") ? (arg.replace(/^-+(no-)?/, "").split("=")[0] ?? "") : arg;
}

function unknownFlag(typed: string, name: string, knownFlags: readonly string[]): ConfigIssue {
  const near = nearestName(
    name,
    knownFlags.filter((flag) => flag.length > 1),
  );
  const suggestion = near === null ? "there is no such flag here" : `did you mean --${near}?`;
  return { path: "flag", received: typed, allowed: `${suggestion}${near === null ? ";" : ""} --help lists the flags` };
}

function unknownCommand(typed: string, knownCommands: readonly string[]): ConfigIssue {
  const near = knownCommands.find((command) => command.startsWith(typed)) ?? nearestName(typed, knownCommands);
  const suggestion = near === null ? `must be one of ${knownCommands.join(", ")};` : `did you mean ${near}?`;
  return { path: "command", received: JSON.stringify(typed), allowed: `${suggestion} --help lists the commands` };
}

function unexpectedArgument(typed: string, args: readonly string[]): ConfigIssue {
  const allowed = `roofserve ${args[0]} takes no such argument; does a flag before it take no value, or is a -- missing?`;
  return { path: "argument", received: JSON.stringify(typed), allowed };
}

/** `Argument: format, Given: "xml", Choices: "table", "json"`, one line each. */
function explainChoices(message: string): ConfigIssue[] {
  const lines = message.matchAll(/Argument: (\S+), Given: (.*), Choices: (.*)/g);
  return [...lines].map(([, flag, received, choices]) => ({
    path: `--${flag}`,
    received: received ?? "nothing",
    allowed: `must be one of ${(choices ?? "").replaceAll('"', "")}`,
  }));
}
