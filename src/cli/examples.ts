/** A command line and what it does. */
export type Example = readonly [commandLine: string, what: string];

/**
 * Examples for a command's help, each command line whole on a line of its own, so that it can be copied; yargs' own
 * columns would break it.
 */
export function examplesText(examples: readonly Example[]): string {
  const lines = examples.map(([commandLine, what]) => `  # ${what}\n  roofserve ${commandLine}`);
  return `Examples:\n${lines.join("\n")}`;
}
