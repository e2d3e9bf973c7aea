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

/** Phrases a zod message as what would be accepted (zod 4 says "Invalid input: expected X, received Y"). */
function allowedText(issue: z.core.$ZodIssue): string {
  const expected = /expected (.*?)(?:, received .*)?$/.exec(issue.message)?.[1];
  if (issue.code === "invalid_value") return `must be one of ${issue.values.map(String).join(", ")}`;
  return expected === undefined ? issue.message : `must be ${expected}`;
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
