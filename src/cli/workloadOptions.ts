import { existsSync } from "node:fs";
import { basename } from "node:path";
import type { Argv } from "yargs";
import { nearestName } from "../core/config/nearestName.js";
import { printValue } from "../core/config/parseConfig.js";
import { ConfigError } from "../core/errors/simulationError.js";
import type { WorkloadData } from "../core/workload/dataConfig.js";
import { parseSyntheticData } from "../core/workload/parseSyntheticData.js";
import { workloadConfigSchema } from "../core/workload/workloadConfig.js";
import { loadWorkloadPreset, WORKLOAD_PRESETS } from "../io/workloadPresets.js";
import { type ConfigFlag, configFromFlags, flagsOf, flagValue } from "./configFlags.js";
import type { Arguments } from "./deploymentOptions.js";
import { addFlags } from "./deploymentOptions.js";

const DEFAULT_WORKLOAD = "chat";

const PROFILES = ["synchronous", "concurrent", "throughput", "constant", "poisson", "gamma", "trace"] as const;
type Profile = (typeof PROFILES)[number];

/** Flags that are fields of the workload config. */
export const WORKLOAD_FLAGS: readonly ConfigFlag[] = flagsOf(
  workloadConfigSchema.pick({ maxRequests: true, maxSeconds: true, atMaxSeconds: true, timeoutS: true }),
  "workload",
);

/** Flags of an arrival profile: which profile uses which, under which name. */
const PROFILE_FIELDS: Readonly<Record<Profile, Readonly<Record<string, string>>>> = {
  synchronous: {},
  concurrent: { rate: "streams" },
  throughput: { "max-concurrency": "maxConcurrency" },
  constant: { rate: "rate" },
  poisson: { rate: "rate" },
  gamma: { rate: "rate", burstiness: "burstiness" },
  trace: { "time-scale": "timeScale" },
};
const PROFILE_FLAGS = ["rate", "burstiness", "max-concurrency", "time-scale"];

/** Where the values of flags that are no plain field end up, for messages. */
export const WORKLOAD_PLACES: readonly ConfigFlag[] = [
  ["workload", "workload"],
  ["profile", "workload.profile"],
  ["data", "workload.data.path"],
  ...Object.values(PROFILE_FIELDS).flatMap((fields) =>
    Object.entries(fields).map(([flag, field]) => [flag, `workload.profile.${field}`]),
  ),
].map(([name, path]) => ({ name: String(name), path: String(path), kind: "text", describe: "" }));

/** Heading of the workload's options in a command's help. */
export const WORKLOAD_GROUP = "Workload (GuideLLM's options):";

export function addWorkloadOptions<T>(command: Argv<T>): Argv<T> {
  const group = WORKLOAD_GROUP;
  command
    .option("workload", {
      type: "string",
      alias: "w",
      requiresArg: true,
      group,
      describe: `preset or YAML/JSON file: ${WORKLOAD_PRESETS.join(", ")} [default: ${DEFAULT_WORKLOAD}]`,
    })
    .option("profile", { type: "string", requiresArg: true, group, describe: `arrivals: ${PROFILES.join(" | ")}` })
    .option("rate", {
      requiresArg: true,
      group,
      describe: "requests per second; with --profile concurrent the number of streams [default: the preset's]",
    })
    .option("burstiness", {
      requiresArg: true,
      group,
      describe: "of --profile gamma: 1 = Poisson, below 1 burstier, as in vllm bench [default: 1]",
    })
    .option("max-concurrency", {
      requiresArg: true,
      group,
      describe: "of --profile throughput: requests in flight at most [default: 512]",
    })
    .option("time-scale", {
      requiresArg: true,
      group,
      describe: "of --profile trace: factor on arrival times, 0.5 = twice the request rate [default: 1]",
    })
    .option("data", {
      type: "string",
      requiresArg: true,
      group,
      describe: "prompt_tokens=512,output_tokens=128,… as in GuideLLM (key=value pairs or JSON), or a trace file",
    });
  addFlags(command, WORKLOAD_FLAGS, group);
  return command;
}

/**
 * The unparsed config with the workload that the flags and the config file describe; the chat preset where they say
 * nothing. A preset's limit on requests ends with its data or its duration: a trace or `--max-seconds` brings its own.
 */
export function withWorkload(config: unknown, argv: Arguments): unknown {
  const { workload, ...rest } = config as { workload?: unknown };
  const given = workload === undefined ? {} : requireObject(workload, "workload", "an object with profile and data");
  const isWhole = "profile" in given && "data" in given && argv.workload === undefined;
  const base = isWhole
    ? {}
    : loadWorkloadPreset(argv.workload === undefined ? DEFAULT_WORKLOAD : String(argv.workload));
  const flags = (configFromFlags(WORKLOAD_FLAGS, argv) as { workload?: object }).workload ?? {};
  const data = argv.data === undefined ? null : dataOf(String(argv.data));
  const bringsItsEnd = data?.kind === "trace" || argv["max-seconds"] !== undefined;
  const merged: Record<string, unknown> = {
    ...base,
    ...given,
    ...(bringsItsEnd ? { maxRequests: null } : {}),
    ...(data === null ? {} : { data, description: "", sources: [] }),
    ...flags,
  };
  return { ...rest, workload: { ...merged, profile: profileOf(merged.profile, merged.data, argv) } };
}

/** What the workload of a command line is called: its preset or its file; null for one that options or a config describe. */
export function workloadName({ workload, data, config, vary = [] }: Arguments): string | null {
  const isVaried = (vary as string[]).some((axis) => /^-*(workload|data)=/.test(axis));
  if (isVaried) return null;
  if (data !== undefined) return existsSync(String(data)) ? basename(String(data)) : null;
  if (workload !== undefined) return basename(String(workload));
  return config === undefined ? DEFAULT_WORKLOAD : null;
}

function requireObject(value: unknown, path: string, what: string): object {
  if (typeof value === "object" && value !== null && !Array.isArray(value)) return value;
  throw new ConfigError([{ path, received: printValue(value), allowed: `must be ${what}` }]);
}

function dataOf(text: string): WorkloadData {
  const isSynthetic = text.includes("=") || text.trimStart().startsWith("{");
  if (isSynthetic && !existsSync(text)) return parseSyntheticData(text);
  return { kind: "trace", path: text };
}

/** The arrival profile: the base's with the flags' numbers, or a new one of the kind that `--profile` names. */
function profileOf(baseProfile: unknown, data: unknown, argv: Arguments): unknown {
  const what = "an object such as {kind: poisson, rate: 5}";
  const base = requireObject(baseProfile, "workload.profile", what) as { readonly kind?: unknown };
  const isTrace = (data as { kind?: unknown } | null | undefined)?.kind === "trace";
  const kind = argv.profile ?? (isTrace && argv.rate === undefined ? "trace" : base.kind);
  if (!isProfile(kind)) {
    const path = argv.profile === undefined ? "workload.profile.kind" : "--profile";
    throw new ConfigError([{ path, received: printValue(kind), allowed: profileHint(kind) }]);
  }
  if (argv.profile === "trace" && !isTrace) {
    const received = argv.data === undefined ? "nothing" : String(argv.data);
    const allowed = "--profile trace takes its arrivals from a trace file: give one";
    throw new ConfigError([{ path: "--data", received, allowed }]);
  }
  const fields = PROFILE_FIELDS[kind];
  const profile: Record<string, unknown> = kind === base.kind ? { ...base } : { kind };
  for (const flag of PROFILE_FLAGS) {
    if (argv[flag] === undefined) continue;
    const field = fields[flag];
    if (field === undefined) {
      const allowed = `--profile ${kind} does not use it`;
      throw new ConfigError([{ path: `--${flag}`, received: String(argv[flag]), allowed }]);
    }
    profile[field] = flagValue(argv[flag], "number");
  }
  const needed = fields.rate;
  if (needed !== undefined && profile[needed] === undefined) {
    const what = kind === "concurrent" ? "the number of streams" : "requests per second";
    throw new ConfigError([{ path: "--rate", received: "nothing", allowed: `--profile ${kind} needs it: ${what}` }]);
  }
  return profile;
}

function profileHint(kind: unknown): string {
  if (kind === "sweep") return "is a command of its own: roofserve sweep";
  const near = typeof kind === "string" ? nearestName(kind, PROFILES) : null;
  return `${near === null ? "" : `did you mean ${near}? `}must be one of ${PROFILES.join(", ")}`;
}

function isProfile(kind: unknown): kind is Profile {
  return PROFILES.some((profile) => profile === kind);
}
