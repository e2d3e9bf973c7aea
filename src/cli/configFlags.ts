import type { z } from "zod";
import { ConfigError, type ConfigIssue } from "../core/errors/simulationError.js";

/** One command-line flag and the place of its value in the config. */
export interface ConfigFlag {
  /** Without dashes: `max-num-seqs`. */
  readonly name: string;
  readonly alias?: string;
  /** Where the value stands in the config: `engine.maxNumSeqs`. */
  readonly path: string;
  readonly isBoolean: boolean;
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
      isBoolean: isBooleanField(field as z.ZodType),
      describe: describeField(field as z.ZodType),
    };
  });
}

/** The config fragment that flags on a command line say: `{engine: {maxNumSeqs: 64}}`. */
export function configFromFlags(flags: readonly ConfigFlag[], argv: Readonly<Record<string, unknown>>): object {
  const config: Record<string, unknown> = {};
  for (const flag of flags) {
    const value = argv[flag.name];
    if (value !== undefined) setPath(config, flag.path, flag.isBoolean ? value : flagValue(value));
  }
  return config;
}

/** Lays `over` over `base`, objects key by key, everything else whole; neither is changed. */
export function mergeConfig(base: unknown, over: unknown): unknown {
  if (!isPlainObject(base) || !isPlainObject(over)) return over === undefined ? base : over;
  const merged: Record<string, unknown> = { ...base };
  for (const [key, value] of Object.entries(over)) merged[key] = mergeConfig(base[key], value);
  return merged;
}

/** Rewrites the paths of a ConfigError into the flags that set them, so that the message names what was typed. */
export function nameFlags(
  error: unknown,
  flags: readonly ConfigFlag[],
  argv: Readonly<Record<string, unknown>>,
): unknown {
  if (!(error instanceof ConfigError)) return error;
  const issues = error.issues.map((issue): ConfigIssue => {
    const flag = flags.find((candidate) => candidate.path === issue.path && argv[candidate.name] !== undefined);
    return flag === undefined ? issue : { ...issue, path: `--${flag.name}` };
  });
  return new ConfigError(issues);
}

/** `maxNumSeqs` → `max-num-seqs`. */
export function kebabCase(camelCase: string): string {
  return camelCase.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
}

/** A flag's text as the value it spells; what is no number stays text for the schema to judge. */
function flagValue(value: unknown): unknown {
  if (Array.isArray(value)) return value.length === 1 ? flagValue(value[0]) : value.map(flagValue);
  if (typeof value !== "string") return value;
  if (value === "null") return null;
  const isNumber = /^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i.test(value);
  return isNumber ? Number(value) : value;
}

function setPath(config: Record<string, unknown>, path: string, value: unknown): void {
  const keys = path.split(".");
  const last = keys.pop() as string;
  let node = config;
  for (const key of keys) {
    node[key] ??= {};
    node = node[key] as Record<string, unknown>;
  }
  node[last] = value;
}

function isPlainObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** Peels `.default()`, `.nullable()` and `.optional()` off a field. */
function innermost(field: z.ZodType): z.ZodType {
  const inner = (field as { def?: { innerType?: z.ZodType } }).def?.innerType;
  return inner === undefined ? field : innermost(inner);
}

function isBooleanField(field: z.ZodType): boolean {
  return innermost(field).def.type === "boolean";
}

function describeField(field: z.ZodType): string {
  const inner = innermost(field);
  const options = "options" in inner && Array.isArray(inner.options) ? ` (${inner.options.join(" | ")})` : "";
  const fallback = (field as { def: { defaultValue?: unknown } }).def.defaultValue;
  const shown = fallback === undefined || fallback === null ? "" : ` [default: ${String(fallback)}]`;
  return `${field.description ?? ""}${options}${shown}`;
}
