import type * as z from "zod";
import { ConfigError, type ConfigIssue } from "../errors/simulationError.js";
import { nearestName } from "./nearestName.js";
import { knownKeys } from "./schemaKeys.js";

/**
 * Parses `input` with a zod schema; every problem becomes one issue of a single ConfigError.
 * @param where prefix of the paths in messages, e.g. `engine` or a file's name
 * @throws ConfigError listing all problems
 */
export function parseConfig<T extends z.ZodType>(schema: T, input: unknown, where: string): z.output<T> {
  const result = schema.safeParse(input);
  if (result.success) return result.data;
  throw new ConfigError(configIssues(result.error, input, where, schema));
}

/**
 * Translates a zod error: one issue per problem (per key for unknown keys), with what was really given.
 * @param schema what was parsed with; with it, unknown keys get the nearest known one
 */
export function configIssues(error: z.ZodError, input: unknown, where: string, schema?: z.ZodType): ConfigIssue[] {
  const issues = error.issues.flatMap((issue): ConfigIssue[] => {
    const path = [where, ...issue.path.map(String)].filter((part) => part !== "");
    if (issue.code === "unrecognized_keys") {
      const known = schema === undefined ? [] : knownKeys(schema, issue.path);
      return issue.keys.map((key) => unknownKey([...path, key].join("."), key, known));
    }
    const received = valueAt(input, issue.path);
    return [{ path: path.join("."), received: printValue(received), allowed: allowedText(issue, received) }];
  });
  // A huge number is above the safe integers and above the field's own maximum: the last bound is the narrower one.
  return issues.filter((issue, i) => !isUpperBound(issue) || !isSameBound(issue, issues[i + 1]));
}

function isUpperBound(issue: ConfigIssue): boolean {
  return /^must be [≤<] /.test(issue.allowed);
}

function isSameBound(issue: ConfigIssue, next: ConfigIssue | undefined): boolean {
  return next !== undefined && next.path === issue.path && isUpperBound(next);
}

function unknownKey(path: string, key: string, known: readonly string[]): ConfigIssue {
  // The keys of every kind are known, so the nearest of them may be this one itself.
  if (known.includes(key)) return { path, received: "a key of another kind", allowed: "remove it or change the kind" };
  const near = nearestName(key, known);
  const allowed = near === null ? "remove it or correct its name" : `did you mean ${near}?`;
  return { path, received: "an unknown key", allowed };
}

/** Phrases what would be accepted in place of what was received. */
export function allowedText(issue: z.core.$ZodIssue, received: unknown = undefined): string {
  const isOwnText = !/^(Invalid|Too small|Too big|Unrecognized)/.test(issue.message);
  if (isOwnText) return issue.message.replace(/^expected /, "must be ");
  switch (issue.code) {
    case "invalid_value":
      return `must be one of ${issue.values.map(String).join(", ")}`;
    case "invalid_type":
      return `must be ${TYPE_WORDS[issue.expected] ?? issue.expected}${hasUnit(issue, received) ? " without a unit" : ""}`;
    case "too_small":
      if (issue.origin === "string" && issue.minimum === 1) return "must not be empty";
      return `must be ${issue.inclusive === false ? ">" : "≥"} ${String(issue.minimum)}${sizeWord(issue.origin)}`;
    case "too_big":
      return `must be ${issue.inclusive === false ? "<" : "≤"} ${String(issue.maximum)}${sizeWord(issue.origin)}`;
    case "invalid_union":
      return unionText(issue);
    default: {
      const expected = /expected (.*?)(?:, received .*)?$/.exec(issue.message)?.[1];
      return expected === undefined ? issue.message : `must be ${expected}`;
    }
  }
}

const TYPE_WORDS: Readonly<Record<string, string>> = {
  number: "a number",
  int: "an integer",
  string: "text",
  boolean: "true or false",
  object: "an object",
  array: "a list",
};

function sizeWord(origin: string): string {
  if (origin === "string") return " characters long";
  return origin === "array" || origin === "set" ? " entries long" : "";
}

/** A discriminated union's own message names only the key: list its choices. */
function unionText(issue: z.core.$ZodIssueInvalidUnion): string {
  const options = (issue as { options?: readonly unknown[] }).options;
  if (options !== undefined && options.length > 0) return `must be one of ${options.map(String).join(", ")}`;
  const deepest = issue.errors.flat().sort((a, b) => b.path.length - a.path.length)[0];
  return deepest === undefined ? "must be one of the documented shapes" : allowedText(deepest, undefined);
}

/** `4GB`, `10s`, `90%`: a number was meant. */
function hasUnit(issue: z.core.$ZodIssueInvalidType, received: unknown): boolean {
  return issue.expected === "number" && typeof received === "string" && /^[\d.]+ *[a-z%]+$/i.test(received);
}

/** The value at a path of a parsed input; undefined where the path leads nowhere. */
export function valueAt(input: unknown, path: readonly PropertyKey[]): unknown {
  let value = input;
  for (const key of path) {
    if (value === null || typeof value !== "object") return undefined;
    value = (value as Record<PropertyKey, unknown>)[key];
  }
  return value;
}

/** Prints a received value on one short line. */
export function printValue(value: unknown): string {
  if (value === undefined) return "nothing";
  if (typeof value === "number" || typeof value === "bigint") return String(value);
  const text = JSON.stringify(value) ?? String(value);
  return text.length > 80 ? `${text.slice(0, 77)}…` : text;
}
