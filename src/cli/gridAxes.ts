import { nearestName } from "../core/config/nearestName.js";
import { type ConfigLeaf, configLeaves } from "../core/config/schemaKeys.js";
import { runConfigSchema } from "../core/engine/runConfig.js";
import { ConfigError, type ConfigIssue } from "../core/errors/simulationError.js";
import { flagValue, kebabCase } from "./configFlags.js";
import { DEPLOYMENT_FLAGS } from "./deploymentOptions.js";
import { WORKLOAD_FLAGS, WORKLOAD_PLACES } from "./workloadOptions.js";

/** One axis of a grid: what `--vary key=v1,v2` says. */
export interface GridAxis {
  /** The key as it was typed. */
  readonly given: string;
  /** Place in the config, or `workload` and `workload.profile` as their flags set them whole. */
  readonly path: string;
  /** The flag that sets it, where its flag means more than the one value; else null. */
  readonly flag: string | null;
  readonly values: readonly unknown[];
}

/** Keys that have options of their own in a sweep. */
const ELSEWHERE: Readonly<Record<string, string>> = {
  rate: "give --rate 1,2,4: rates are what a sweep looks for saturation in",
  seed: "give --seeds N: every point gets the same N seeds",
  data: "vary a part of it, as in --vary promptTokens=512,2048",
};

/** What a refusal calls an axis: `--vary max-num-seqs (engine.maxNumSeqs)`. */
export function axisName({ given, path }: GridAxis): string {
  return given === path ? `--vary ${path}` : `--vary ${given} (${path})`;
}

/** A refusal of `--tp 1,2`, which says how several values are given; any other as it is. */
export function withVaryHint(issue: ConfigIssue): ConfigIssue {
  const flag = [...DEPLOYMENT_FLAGS, ...WORKLOAD_FLAGS].find(({ name }) => issue.path === `--${name}`);
  const list = issue.received.replaceAll('"', "");
  if (flag === undefined || flag.name in ELSEWHERE || !/^[^,=]+(,[^,=]+)+$/.test(list)) return issue;
  const key = flag.alias !== undefined && flag.alias.length > 1 ? flag.alias : flag.name;
  return { ...issue, allowed: `${issue.allowed}; give several with --vary ${key}=${list}` };
}

/** @param texts the values of `--vary` @throws ConfigError naming every problem */
export function gridAxes(texts: readonly string[]): GridAxis[] {
  const axes = texts.map(axisOf);
  const repeated = axes.find(({ path }, i) => axes.findIndex((other) => other.path === path) < i);
  if (repeated !== undefined) throw refusal(`${repeated.path}=…`, "give each key once, with all its values");
  return axes;
}

function axisOf(text: string): GridAxis {
  const [given, list] = [text.slice(0, text.indexOf("=")), text.slice(text.indexOf("=") + 1)];
  const words = list.split(",").map((word) => word.trim());
  if (!text.includes("=") || given.trim() === "" || words.includes("")) {
    throw refusal(text, "must be a key and its values, as in tensorParallelSize=1,2,4");
  }
  const key = given.trim().replace(/^--?/, "");
  const flag = workloadFlag(key);
  const elsewhere = ELSEWHERE[flag?.name ?? key];
  if (elsewhere !== undefined) throw refusal(text, elsewhere);
  if (flag !== null) return { given: given.trim(), path: flag.path, flag: flag.name, values: distinct(words, text) };
  const { path, kind } = leafOf(key, text);
  const values = words.map((word) =>
    kind === "boolean" && /^(true|false)$/.test(word) ? word === "true" : flagValue(word, kind),
  );
  return { given: given.trim(), path, flag: null, values: distinct(values, text) };
}

function distinct(values: readonly unknown[], text: string): readonly unknown[] {
  if (new Set(values).size === values.length) return values;
  throw refusal(text, "each value must come once");
}

/** A flag of the workload, which may do more than set one value: `--max-seconds` takes the limit on requests away. */
function workloadFlag(key: string): { readonly name: string; readonly path: string } | null {
  const flags = [...WORKLOAD_FLAGS, ...WORKLOAD_PLACES];
  const name = kebabCase(key);
  return flags.find((flag) => flag.name === name || flag.path === key) ?? null;
}

const LEAVES: readonly ConfigLeaf[] = configLeaves(runConfigSchema);

/** The config value a key names: its path, an end of its path that no other has, or its flag. */
function leafOf(key: string, text: string): ConfigLeaf {
  const flag = DEPLOYMENT_FLAGS.find(({ name, alias }) => name === key || alias === key);
  const wanted = flag?.path ?? key;
  const exact = LEAVES.find(({ path }) => path === wanted);
  if (exact !== undefined) return exact;
  const ends = LEAVES.filter(({ path }) => path.endsWith(`.${wanted}`));
  if (ends.length === 1) return ends[0]!;
  if (ends.length > 1) throw refusal(text, `say which: ${ends.map(({ path }) => path).join(", ")}`);
  const names = LEAVES.map(({ path }) => path.split(".").at(-1)!);
  const near = nearestName(key, [
    ...names,
    ...LEAVES.map(({ path }) => path),
    ...DEPLOYMENT_FLAGS.map(({ name }) => name),
  ]);
  const hint = near === null ? "" : `did you mean ${near}? `;
  throw refusal(text, `${hint}a key is a place in the config such as engine.maxNumSeqs, its last part, or its flag`);
}

function refusal(received: string, allowed: string): ConfigError {
  return new ConfigError([{ path: "--vary", received, allowed }]);
}
