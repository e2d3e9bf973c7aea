import type * as z from "zod";

/** The parts of a zod definition that lead to objects; zod's public types leave them out. */
interface SchemaDef {
  readonly type?: string;
  readonly innerType?: z.ZodType;
  readonly element?: z.ZodType;
  readonly shape?: Readonly<Record<string, z.ZodType>>;
  readonly options?: readonly z.ZodType[];
}

/**
 * Names of the keys that a schema knows at a place in its input; of a union, the keys of all its choices.
 * @returns empty when there is no object at the place
 */
export function knownKeys(schema: z.ZodType, path: readonly PropertyKey[]): string[] {
  let found: readonly z.ZodType[] = objectsOf(schema);
  for (const key of path) found = found.flatMap((object) => childrenOf(object, key));
  return [...new Set(found.flatMap((object) => Object.keys(definition(object).shape ?? {})))];
}

function childrenOf(schema: z.ZodType, key: PropertyKey): z.ZodType[] {
  const { shape, element } = definition(schema);
  const child = shape === undefined ? element : shape[String(key)];
  return child === undefined ? [] : objectsOf(child);
}

/** Peels defaults, nulls and unions off a schema down to its objects and lists. */
function objectsOf(schema: z.ZodType): z.ZodType[] {
  const { innerType, options } = definition(schema);
  if (innerType !== undefined) return objectsOf(innerType);
  return options === undefined ? [schema] : options.flatMap(objectsOf);
}

function definition(schema: z.ZodType): SchemaDef {
  return schema.def as SchemaDef;
}

/** A value that a config can hold, and what it is. */
export interface ConfigLeaf {
  /** Dotted. */
  readonly path: string;
  readonly kind: "boolean" | "number" | "text";
}

/** Every value below the objects of a schema, those of all choices of a union; what lists hold is left out. */
export function configLeaves(schema: z.ZodType, path = ""): ConfigLeaf[] {
  const leaves = new Map<string, ConfigLeaf>();
  for (const inner of objectsOf(schema)) {
    for (const leaf of leavesOf(inner, path)) if (!leaves.has(leaf.path)) leaves.set(leaf.path, leaf);
  }
  return [...leaves.values()];
}

function leavesOf(inner: z.ZodType, path: string): ConfigLeaf[] {
  const { shape, type } = definition(inner);
  if (shape !== undefined) {
    const below = (key: string) => (path === "" ? key : `${path}.${key}`);
    return Object.entries(shape).flatMap(([key, field]) => configLeaves(field, below(key)));
  }
  if (type === "array" || type === "record") return [];
  return [{ path, kind: type === "boolean" || type === "number" ? type : "text" }];
}
