#!/usr/bin/env node
import { describeFailure, EXIT_CODE } from "./exitCode.js";

// A reader that closes the pipe early (`roofserve run | head`) is no error.
process.stdout.on("error", (error: NodeJS.ErrnoException) => {
  if (error.code === "EPIPE") process.exit(EXIT_CODE.done);
  throw error;
});

try {
  const { runCli } = await import("./cli.js");
  process.exitCode = await runCli(process.argv.slice(2));
} catch (error) {
  const failure = describeFailure(error);
  process.stderr.write(`roofserve: ${failure.message}`);
  process.exitCode = failure.exitCode;
}
