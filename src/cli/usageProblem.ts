import type { Argv } from "yargs";
import { nearestName } from "../core/config/nearestName.js";
import type { ConfigIssue } from "../core/errors/simulationError.js";

/** Puts yargs' complaint into one issue, with the flag or command that was probably meant. */
export function explainUsageProblem(message: string, args: readonly string[], instance: Argv): ConfigIssue {
  const unknownFlag = /^Unknown arguments?: ([^,]+)/.exec(message)?.[1];
  if (unknownFlag !== undefined) {
    const typed = args.find((arg) => arg.replace(/^-+/, "").split("=")[0] === unknownFlag) ?? unknownFlag;
    return explainUnknown(typed, unknownFlag, instance);
  }
  const missing = /^Not enough arguments following: (.+)$/.exec(message)?.[1];
  if (missing !== undefined) return { path: `--${missing}`, received: "nothing", allowed: "needs a value" };
  return { path: "command line", received: args.length === 0 ? "nothing" : args.join(" "), allowed: message };
}

function explainUnknown(typed: string, name: string, instance: Argv): ConfigIssue {
  const isFlag = typed.startsWith("-");
  const known = isFlag ? knownFlags(instance) : COMMANDS;
  const near = nearestName(name, known);
  const suggestion = near === null ? "" : `did you mean ${isFlag ? "--" : ""}${near}? `;
  return {
    path: isFlag ? "flag" : "command",
    received: JSON.stringify(typed),
    allowed: `${suggestion}${isFlag ? "--help lists the flags" : "roofserve --help lists the commands"}`,
  };
}

const COMMANDS = ["run", "replay", "evaluate", "step", "models", "gpus", "bench-data"];

/** Flags of the command being parsed; yargs types leave `getOptions` out. */
function knownFlags(instance: Argv): string[] {
  const options = (
    instance as unknown as { getOptions(): { key: Record<string, unknown>; alias: Record<string, string[]> } }
  ).getOptions();
  return [...Object.keys(options.key), ...Object.values(options.alias).flat()].filter((flag) => flag.length > 1);
}
