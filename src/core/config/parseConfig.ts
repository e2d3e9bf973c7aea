import type { z } from "zod";
import { ConfigError, type ConfigIssue } from "../errors/simulationError.js";

/**
 * Parses `input` with a zod schema; every problem becomes one issue of a single ConfigError.
 * @param where prefix of the paths in messages, e.g. `engine` or a file's name
 * @throws ConfigError listing all problems
 */
export function parseConfig<T extends z.ZodType>(schema: T, input: unknown, where: string): z.output<T> {
  const result = schema.safeParse(input);
  if (result.success) return result.data;
  throw new ConfigError(configIssues(result.error, input, where));
}

/** Translates a zod error: one issue per problem (per key for unknown keys), with what was really given. */
export function configIssues(error: z.ZodError, input: unknown, where: string): ConfigIssue[] {
  return error.issues.flatMap((issue): ConfigIssue[] => {
    const path = [where, ...issue.path.map(String)].filter((part) => part !== "").join(".");
    if (issue.code === "unrecognized_keys") {
      return issue.keys.map((key) => ({
        path: `${path}.${key}`,
        received: "an unknown key",
        allowed: "remove it or correct its name",
      }));
    }
    const received = printValue(valueAt(input, issue.path));
    return [{ path, received, allowed: allowedText(issue) }];
  });
}

/** Phrases what would be accepted. */
function allowedText(issue: z.core.$ZodIssue): string {
  switch (issue.code) {
    case "invalid_value":
      return `must be one of ${issue.values.map(String).join(", ")}`;
    case "invalid_type":
      return `must be ${TYPE_WORDS[issue.expected] ?? issue.expected}`;
    case "too_small":
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
  return deepest === undefined ? "must be one of the documented shapes" : allowedText(deepest);
}

function valueAt(input: unknown, path: readonly PropertyKey[]): unknown {
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
