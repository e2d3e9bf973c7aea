import { nearestName } from "../core/config/nearestName.js";
import type { ConfigIssue } from "../core/errors/simulationError.js";

/**
 * Puts yargs' complaint into one issue, with the flag or command that was probably meant.
 * @param knownFlags flags of the command being parsed, without dashes
 */
export function explainUsageProblem(
  message: string,
  args: readonly string[],
  knownFlags: readonly string[],
  knownCommands: readonly string[],
): ConfigIssue {
  const unknown = /^Unknown (?:arguments?|commands?): ([^,]+)/.exec(message)?.[1];
  if (unknown !== undefined) {
    const typed = args.find((arg) => arg.replace(/^-+/, "").split("=")[0] === unknown) ?? unknown;
    return typed.startsWith("-") ? unknownFlag(typed, unknown, knownFlags) : unknownCommand(typed, knownCommands);
  }
  const missing = /^Not enough arguments following: (.+)$/.exec(message)?.[1];
  if (missing !== undefined) return { path: `--${missing}`, received: "nothing", allowed: "needs a value" };
  const required = /^Missing required argument:[\s\S]*?\n?(?:.*: )?(.+)$/.exec(message)?.[1];
  if (required !== undefined)
    return { path: "command line", received: printArgs(args), allowed: `missing: ${required}` };
  return { path: "command line", received: printArgs(args), allowed: message.replaceAll("\n", " ") };
}

function unknownFlag(typed: string, name: string, knownFlags: readonly string[]): ConfigIssue {
  const near = nearestName(
    name,
    knownFlags.filter((flag) => flag.length > 1),
  );
  const suggestion = near === null ? "no such flag" : `did you mean --${near}?`;
  return { path: "flag", received: typed, allowed: `${suggestion} --help lists the flags` };
}

function unknownCommand(typed: string, knownCommands: readonly string[]): ConfigIssue {
  const near = nearestName(typed, knownCommands);
  const suggestion = near === null ? `must be one of ${knownCommands.join(", ")}` : `did you mean ${near}?`;
  return {
    path: "command",
    received: JSON.stringify(typed),
    allowed: `${suggestion}; roofserve --help lists the commands`,
  };
}

function printArgs(args: readonly string[]): string {
  return args.length === 0 ? "nothing" : args.join(" ");
}
