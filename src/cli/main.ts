#!/usr/bin/env node
import * as module from "node:module";
import { ROOFSERVE_VERSION } from "../core/engine/version.js";
import { describeFailure, EXIT_CODE } from "./exitCode.js";

// A reader that closes the pipe early (`roofserve run | head`, `roofserve run 2>&1 | head`) is no error.
for (const stream of [process.stdout, process.stderr]) {
  stream.on("error", (error: NodeJS.ErrnoException) => {
    if (error.code === "EPIPE") process.exit(process.exitCode ?? EXIT_CODE.done);
    throw error;
  });
}

// From Node 22.8 on, what was compiled once is kept for the next start.
(module as { enableCompileCache?: () => void }).enableCompileCache?.();

const args = process.argv.slice(2);
try {
  // Scripts ask for the version to see whether all is well: that needs no parser.
  if (args.length === 1 && args[0] === "--version") process.stdout.write(`${ROOFSERVE_VERSION}\n`);
  else process.exitCode = await (await import("./cli.js")).runCli(args);
} catch (error) {
  const failure = describeFailure(error);
  process.stderr.write(`roofserve: ${failure.message}`);
  process.exitCode = failure.exitCode;
}
