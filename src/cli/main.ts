#!/usr/bin/env node
import { describeFailure, EXIT_CODE } from "./exitCode.js";

// A reader that closes the pipe early (`roofserve run | head`, `roofserve run 2>&1 | head`) is no error.
for (const stream of [process.stdout, process.stderr]) {
  stream.on("error", (error: NodeJS.ErrnoException) => {
    if (error.code === "EPIPE") process.exit(process.exitCode ?? EXIT_CODE.done);
    throw error;
  });
}

try {
  const { runCli } = await import("./cli.js");
  process.exitCode = await runCli(process.argv.slice(2));
} catch (error) {
  const failure = describeFailure(error);
  process.stderr.write(`roofserve: ${failure.message}`);
  process.exitCode = failure.exitCode;
}
