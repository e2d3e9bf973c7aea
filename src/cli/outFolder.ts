import { ConfigError } from "../core/errors/simulationError.js";
import { requireWritableFolder } from "../io/results/outputFolder.js";
import type { Arguments } from "./deploymentOptions.js";

/** Where `--out` says; what cannot be written is said before the work, not after it. */
export function outFolder(argv: Arguments): string | null {
  if (argv.out === undefined) return null;
  const folder = String(argv.out);
  if (folder.trim() === "") {
    throw new ConfigError([{ path: "--out", received: JSON.stringify(folder), allowed: "must name a folder" }]);
  }
  requireWritableFolder(folder);
  return folder;
}
