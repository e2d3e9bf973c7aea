import { ConfigError } from "../core/errors/simulationError.js";
import { requireWritableFolder } from "../io/results/outputFolder.js";
import type { Arguments } from "./deploymentOptions.js";

/** Where `--out` says; what cannot be written is said before the first run. */
export function sweepFolder(argv: Arguments): string | null {
  if (argv.out === undefined) {
    if (argv.restart !== true) return null;
    throw new ConfigError([{ path: "--restart", received: "no --out", allowed: "say with --out what to start over" }]);
  }
  const folder = String(argv.out);
  if (folder.trim() === "") {
    throw new ConfigError([{ path: "--out", received: JSON.stringify(folder), allowed: "must name a folder" }]);
  }
  requireWritableFolder(folder);
  return folder;
}
