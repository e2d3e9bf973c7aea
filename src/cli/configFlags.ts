import type * as z from "zod";
import { ConfigError, type ConfigIssue } from "../core/errors/simulationError.js";

/** One command-line flag and the place of its value in the config. */
export interface ConfigFlag {
  /** Without dashes: `max-num-seqs`. */
  readonly name: string;
  readonly alias?: string;
  /** Where the value stands in the config: `engine.maxNumSeqs`. */
  readonly path: string;
  /** What its value is; numbers and words reach the schema as they were typed. */
  readonly kind: "boolean" | "number" | "text";
  readonly describe: string;
}

/** Flags for every field of a strict object schema; `maxNumSeqs` becomes `--max-num-seqs`. */
export function flagsOf(
  schema: z.ZodObject,
  section: string,
  aliases: Readonly<Record<string, string>> = {},
): ConfigFlag[] {
  return Object.entries(schema.shape).map(([key, field]) => {
    const alias = aliases[key];
    return {
      name: kebabCase(key),
      ...(alias === undefined ? {} : { alias }),
      path: section === "" ? key : `${section}.${key}`,
      kind: fieldKind(field as z.ZodType),
      describe: describeField(field as z.ZodType, kebabCase(key)),
    };
  });
}

/** The config fragment that flags on a command line say: `{engine: {maxNumSeqs: 64}}`. */
export function configFromFlags(flags: readonly ConfigFlag[], argv: Readonly<Record<string, unknown>>): object {
  const config: Record<string, unknown> = {};
  for (const flag of flags) {
    const value = argv[flag.name];
    if (value !== undefined) setPath(config, flag.path, flagValue(value, flag.kind));
  }
  return config;
}

/**
 * Rewrites the paths of a ConfigError into the flags that set them, so that the message names what was typed; what no
 * flag set comes from the `--config` file, where there is one.
 */
export function nameFlags(
  error: unknown,
  flags: readonly ConfigFlag[],
  argv: Readonly<Record<string, unknown>>,
): unknown {
  if (!(error instanceof ConfigError)) return error;
  const issues = error.issues.map((issue): ConfigIssue => {
    const flag = flags.find((candidate) => candidate.path === issue.path && argv[candidate.name] !== undefined);
    if (flag !== undefined) return { ...issue, path: `--${flag.name}`, allowed: withFlags(issue.allowed, flags) };
    const isConfigPath = /^[a-z]\w*(\.|$)/i.test(issue.path) && !issue.path.includes("/");
    return argv.config === undefined || !isConfigPath ? issue : { ...issue, path: `${argv.config}: ${issue.path}` };
  });
  return new ConfigError(issues);
}

/** Other options that a message names, as flags: `maxNumSeqs` → `--max-num-seqs`. */
function withFlags(text: string, flags: readonly ConfigFlag[]): string {
  return text.replace(/\b[a-z]+(?:[A-Z][a-z]+)+\b/g, (word) => {
    const flag = flags.find((candidate) => candidate.path.split(".").at(-1) === word);
    return flag === undefined ? word : `--${flag.name}`;
  });
}

/** `maxNumSeqs` → `max-num-seqs`. */
export function kebabCase(camelCase: string): string {
  return camelCase.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
}

/** A flag's text as the value it spells; what is no number stays text for the schema to judge. */
export function flagValue(value: unknown, kind: ConfigFlag["kind"]): unknown {
  if (value === "null") return null;
  if (kind !== "number" || typeof value !== "string") return value;
  const isNumber = /^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i.test(value);
  return isNumber ? Number(value) : value;
}

/** Sets a value at a dotted path, making the objects on the way where there are none. */
export function setPath(config: Record<string, unknown>, path: string, value: unknown): void {
  const keys = path.split(".");
  const last = keys.pop() as string;
  let node = config;
  for (const key of keys) {
    node[key] ??= {};
    node = node[key] as Record<string, unknown>;
  }
  node[last] = value;
}

/** Peels `.default()`, `.nullable()` and `.optional()` off a field. */
function innermost(field: z.ZodType): z.ZodType {
  const inner = (field as { def?: { innerType?: z.ZodType } }).def?.innerType;
  return inner === undefined ? field : innermost(inner);
}

function fieldKind(field: z.ZodType): ConfigFlag["kind"] {
  const { type } = innermost(field).def;
  return type === "boolean" || type === "number" ? type : "text";
}

function describeField(field: z.ZodType, flag: string): string {
  const inner = innermost(field);
  const options = "options" in inner && Array.isArray(inner.options) ? `: ${inner.options.join(" | ")}` : "";
  const fallback = (field as { def: { defaultValue?: unknown } }).def.defaultValue;
  const isOn = inner.def.type === "boolean" && fallback !== false;
  const off = isOn ? `; off with --no-${flag}` : "";
  const shown = fallback === undefined || fallback === null || isOn ? "" : ` [default: ${String(fallback)}]`;
  return `${field.description ?? ""}${options}${off}${shown}`;
}
