import * as z from "zod";
import { nearestName } from "../config/nearestName.js";
import { parseConfig } from "../config/parseConfig.js";
import { ConfigError } from "../errors/simulationError.js";
import type { ModelArchitecture } from "./modelArchitecture.js";
import { parseHfConfig } from "./parseHfConfig.js";

const name = z.string().min(1);

/** What a checkpoint's generation_config.json says of top-p and top-k; null = it says nothing. */
const defaultSamplingSchema = z.strictObject({
  topP: z.number().gt(0).max(1).nullable(),
  topK: z.number().int().min(1).nullable(),
});

const hfKeys = z.record(z.string(), z.unknown());

/** A built-in model: the shape-giving part of its config.json and the variants that share it. */
export const modelFileSchema = z.strictObject({
  id: name.describe("Hugging Face id of the base checkpoint"),
  source: name.describe("where the numbers come from"),
  aliases: z.array(name).default([]),
  config: hfKeys.describe("keys of config.json"),
  defaultSampling: defaultSamplingSchema,
  variants: z
    .array(
      z.strictObject({
        id: name,
        aliases: z.array(name).default([]),
        defaultSampling: defaultSamplingSchema,
        config: hfKeys.default({}).describe("keys of config.json that differ from the base"),
      }),
    )
    .default([]),
});

export type ModelFile = z.output<typeof modelFileSchema>;

/** One checkpoint that can be named: a base model or a variant of it. */
export interface CatalogModel {
  readonly id: string;
  /** Id of the base checkpoint; the same as `id` for a base. */
  readonly baseId: string;
  readonly aliases: readonly string[];
  readonly source: string;
  readonly architecture: ModelArchitecture;
}

/** Built-in models, variants after their base. */
export type ModelCatalog = readonly CatalogModel[];

/**
 * Reads one file of `configs/models`.
 * @returns its base checkpoint, then its variants
 * @throws ConfigError listing all problems of the file
 */
export function parseModelFile(json: unknown, sourceName: string): CatalogModel[] {
  const file = parseConfig(modelFileSchema, json, sourceName);
  const variants = [{ id: file.id, aliases: file.aliases, defaultSampling: file.defaultSampling, config: {} }].concat(
    file.variants,
  );
  return variants.map(({ id, aliases, defaultSampling, config }) => ({
    id,
    baseId: file.id,
    aliases,
    source: file.source,
    architecture: { ...parseHfConfig({ ...file.config, ...config }, id, `${sourceName}.config`), defaultSampling },
  }));
}

/** Endings that name a tuned variant of the same shape. */
const VARIANT_ENDINGS = /-(instruct|chat|it)(?=-hf$|-\d{4}$|$)/i;

/** The names by which `findModel` looks for what a user named, in lower case: its own, and its base's for a variant. */
export function namesLookedFor(text: string): string[] {
  const own = text.trim().toLowerCase();
  return VARIANT_ENDINGS.test(text) ? [own, own.replace(VARIANT_ENDINGS, "")] : [own];
}

/**
 * The model a user named: an id or alias without regard to case, with or without organisation, or an
 * instruction-tuned variant of a listed base (whose sampling defaults are then unknown); null when there is none.
 */
export function findModel(text: string, catalog: ModelCatalog): CatalogModel | null {
  const exact = findByName(text, catalog);
  if (exact !== null) return exact;
  const base = VARIANT_ENDINGS.test(text) ? findByName(text.replace(VARIANT_ENDINGS, ""), catalog) : null;
  return base === null ? null : { ...base, architecture: { ...base.architecture, defaultSampling: null } };
}

/**
 * The model a user named, as `findModel` finds it.
 * @throws ConfigError naming the nearest known id
 */
export function resolveModelId(text: string, catalog: ModelCatalog): CatalogModel {
  const found = findModel(text, catalog);
  if (found !== null) return found;
  const near = nearestName(
    text,
    catalog.flatMap((model) => namesOf(model)),
  );
  const suggestion = near === null ? "" : `did you mean ${near}? `;
  throw new ConfigError([
    {
      path: "--model",
      received: JSON.stringify(text),
      allowed: `no such built-in model; ${suggestion}\`roofserve models\` lists them, and a path to a config.json is accepted too`,
    },
  ]);
}

function findByName(text: string, catalog: ModelCatalog): CatalogModel | null {
  const wanted = text.trim().toLowerCase();
  const full = catalog.find((model) => namesOf(model).some((known) => known.toLowerCase() === wanted));
  if (full !== undefined) return full;
  const short = catalog.filter((model) => namesOf(model).some((known) => shortName(known) === wanted));
  return short.length > 0 && short.every((model) => model.id === short[0]?.id) ? (short[0] ?? null) : null;
}

function namesOf(model: CatalogModel): string[] {
  return [model.id, ...model.aliases];
}

/** Name without organisation. */
function shortName(id: string): string {
  return id.toLowerCase().replace(/^.*\//, "");
}
