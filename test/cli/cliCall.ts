import { expect } from "vitest";
import { runCli } from "../../src/cli/cli.js";
import { describeFailure } from "../../src/cli/exitCode.js";

/** What a command line left behind. */
export interface CliResult {
  readonly exitCode: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs a command line in this process, as main.ts does, with its output caught. Not for two calls at a time. */
export async function callCli(...args: string[]): Promise<CliResult> {
  const caught = { stdout: "", stderr: "" };
  const originals = { stdout: process.stdout.write, stderr: process.stderr.write };
  for (const stream of ["stdout", "stderr"] as const) {
    process[stream].write = ((text: string | Uint8Array) => {
      caught[stream] += String(text);
      return true;
    }) as typeof process.stdout.write;
  }
  try {
    return { exitCode: await runCli(args), ...caught };
  } catch (error) {
    const { exitCode, message } = describeFailure(error);
    return { exitCode, stdout: caught.stdout, stderr: `${caught.stderr}roofserve: ${message}` };
  } finally {
    process.stdout.write = originals.stdout;
    process.stderr.write = originals.stderr;
  }
}

/** A command line that must fail: what it is, its exit code, and what the message says of place, value and remedy. */
export type BadInput = readonly [args: readonly string[], exitCode: 2 | 3 | 4, says: readonly string[]];

/** Runs a bad command line: the code, every part of the message, nothing on stdout, and never a stack trace. */
export async function expectRefusal([args, exitCode, says]: BadInput): Promise<void> {
  const result = await callCli(...args);
  for (const part of says) expect(result.stderr).toContain(part);
  expect(result.stderr).not.toMatch(/^ {4}at |bug in roofserve|undefined|\[object/m);
  expect(result.stdout).toBe("");
  expect(result.exitCode).toBe(exitCode);
}
