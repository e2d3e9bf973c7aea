/** `--format` of commands that print a table. */
export const FORMAT_OPTION = {
  choices: ["table", "json"],
  default: "table",
  requiresArg: true,
  describe: "what stdout carries",
} as const;
