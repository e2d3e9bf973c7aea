import { ConfigError } from "../core/errors/simulationError.js";
import { kebabCase } from "./configFlags.js";

/** Arguments that may come several times. */
const LISTS = new Set(["_", "path", "vary"]);

/**
 * Refuses a flag that is given twice: whichever of the two would win, half of the users would have meant the other.
 * @throws ConfigError naming every repeated flag with its values
 */
export function rejectRepeatedFlags(argv: Readonly<Record<string, unknown>>): void {
  const repeated = new Map<string, string>();
  for (const [key, value] of Object.entries(argv)) {
    // yargs adds the camelCase spelling and the short name of each flag.
    if (!Array.isArray(value) || LISTS.has(key) || key !== kebabCase(key) || key.length === 1) continue;
    const values = value.map(String).join(" and ");
    if (![...repeated.keys()].some((other) => argv[other] === value)) repeated.set(key, values);
  }
  const issues = [...repeated].map(([key, received]) => ({ path: `--${key}`, received, allowed: "give it once" }));
  if (issues.length > 0) throw new ConfigError(issues);
}

/**
 * Refuses `--x` beside `--no-x`.
 * @throws ConfigError naming every such flag
 */
export function rejectContradictions(args: readonly string[]): void {
  const given = new Set(args.map((arg) => arg.split("=")[0] ?? arg));
  const issues = [...given]
    .filter((flag) => flag.startsWith("--no-") && given.has(`--${flag.slice("--no-".length)}`))
    .map((flag) => ({ path: flag, received: `also --${flag.slice("--no-".length)}`, allowed: "give one of the two" }));
  if (issues.length > 0) throw new ConfigError(issues);
}
