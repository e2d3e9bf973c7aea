import { ConfigError } from "../core/errors/simulationError.js";
import type { Arguments } from "./deploymentOptions.js";
import { outFolder } from "./outFolder.js";

/** Where a sweep keeps its runs. */
export function sweepFolder(argv: Arguments): string | null {
  if (argv.restart === true && argv.out === undefined) {
    throw new ConfigError([{ path: "--restart", received: "no --out", allowed: "say with --out what to start over" }]);
  }
  return outFolder(argv);
}
