import { isPlainObject } from "./mergeConfig.js";

/**
 * The part that all configs share: every key with equal values in each. Objects are compared key by key, lists and
 * everything else whole.
 * @param configs plain JSON-like objects, at least one
 */
export function commonConfig(configs: readonly object[]): object {
  const [first, ...others] = configs as readonly Readonly<Record<string, unknown>>[];
  const common: Record<string, unknown> = {};
  for (const [key, value] of Object.entries(first ?? {})) {
    const values = others.map((other) => other[key]);
    if ([value, ...values].every(isPlainObject)) {
      const inner = commonConfig([value, ...values] as object[]);
      if (Object.keys(inner).length > 0 || Object.keys(value as object).length === 0) common[key] = inner;
    } else if (values.every((other) => JSON.stringify(other) === JSON.stringify(value))) {
      common[key] = value;
    }
  }
  return common;
}

/** One place where two configs differ; undefined where one has no such key. */
export interface ConfigDifference {
  /** Dotted. */
  readonly path: string;
  readonly before: unknown;
  readonly after: unknown;
}

/** Every place where two plain JSON-like values differ, objects compared key by key, in the order of their keys. */
export function configDifferences(before: unknown, after: unknown, path = ""): ConfigDifference[] {
  if (isPlainObject(before) && isPlainObject(after)) {
    const keys = [...new Set([...Object.keys(before), ...Object.keys(after)])];
    return keys.flatMap((key) => configDifferences(before[key], after[key], path === "" ? key : `${path}.${key}`));
  }
  return JSON.stringify(before) === JSON.stringify(after) ? [] : [{ path, before, after }];
}
