import { ConfigError } from "../core/errors/simulationError.js";

/**
 * Refuses a lone dash: elsewhere it means standard input or output, and yargs drops it without a word.
 * @throws ConfigError
 */
export function rejectDash(args: readonly string[]): void {
  if (!args.includes("-")) return;
  const allowed =
    "must name a file or folder: standard input is not read, and files are not written to standard output";
  throw new ConfigError([{ path: "argument", received: '"-"', allowed }]);
}
