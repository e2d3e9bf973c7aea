import { existsSync } from "node:fs";
import type { Argv } from "yargs";
import { ConfigError } from "../core/errors/simulationError.js";
import type { WorkloadData } from "../core/workload/dataConfig.js";
import { parseSyntheticData } from "../core/workload/parseSyntheticData.js";
import { workloadConfigSchema } from "../core/workload/workloadConfig.js";
import { loadWorkloadPreset, WORKLOAD_PRESETS } from "../io/workloadPresets.js";
import { type ConfigFlag, configFromFlags, flagsOf } from "./configFlags.js";
import type { Arguments } from "./deploymentOptions.js";
import { addFlags } from "./deploymentOptions.js";

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

export function addWorkloadOptions<T>(command: Argv<T>): Argv<T> {
  const group = "Workload (GuideLLM's options):";
  command
    .option("workload", {
      type: "string",
      alias: "w",
      requiresArg: true,
      group,
      describe: `preset or YAML/JSON file: ${WORKLOAD_PRESETS.join(", ")} [default: chat]`,
    })
    .option("profile", { type: "string", requiresArg: true, group, describe: `arrivals: ${PROFILES.join(" | ")}` })
    .option("rate", {
      type: "string",
      requiresArg: true,
      group,
      describe: "requests per second; with --profile concurrent the number of streams",
    })
    .option("burstiness", {
      type: "string",
      requiresArg: true,
      group,
      describe: "of --profile gamma: 1 = Poisson, below 1 burstier, as in vllm bench",
    })
    .option("max-concurrency", {
      type: "string",
      requiresArg: true,
      group,
      describe: "of --profile throughput: requests in flight at most",
    })
    .option("time-scale", {
      type: "string",
      requiresArg: true,
      group,
      describe: "of --profile trace: factor on the trace's arrival times",
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
  const given = (config as { workload?: object }).workload;
  const isWhole = hasProfile(given) && argv.workload === undefined;
  const base = isWhole ? given : loadWorkloadPreset(argv.workload === undefined ? "chat" : String(argv.workload));
  const flags = (configFromFlags(WORKLOAD_FLAGS, argv) as { workload?: object }).workload ?? {};
  const data = argv.data === undefined ? null : dataOf(String(argv.data));
  const bringsItsEnd = data?.kind === "trace" || argv["max-seconds"] !== undefined;
  const merged: Record<string, unknown> = {
    ...base,
    ...(isWhole ? {} : given),
    ...(bringsItsEnd ? { maxRequests: null } : {}),
    ...(data === null ? {} : { data, description: "", sources: [] }),
    ...flags,
  };
  const profile = profileOf(merged.profile as { kind: string }, merged.data, argv);
  const { workload: _replaced, ...rest } = config as { workload?: unknown };
  return { ...rest, workload: { ...merged, profile } };
}

function hasProfile(workload: unknown): workload is object {
  return typeof workload === "object" && workload !== null && "profile" in workload;
}

function dataOf(text: string): WorkloadData {
  const isSynthetic = text.includes("=") || text.trimStart().startsWith("{");
  if (isSynthetic && !existsSync(text)) return parseSyntheticData(text);
  return { kind: "trace", path: text };
}

/** The arrival profile: the base's with the flags' numbers, or a new one of the kind that `--profile` names. */
function profileOf(base: { kind: string }, data: unknown, argv: Arguments): unknown {
  const isTrace = (data as { kind?: unknown } | undefined)?.kind === "trace";
  const kind = argv.profile ?? (isTrace && argv.rate === undefined ? "trace" : base.kind);
  if (!isProfile(kind)) {
    throw new ConfigError([
      { path: "--profile", received: JSON.stringify(kind), allowed: `must be one of ${PROFILES.join(", ")}` },
    ]);
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
    profile[field] = numberOrText(String(argv[flag]));
  }
  const needed = fields.rate;
  if (needed !== undefined && profile[needed] === undefined) {
    const what = kind === "concurrent" ? "the number of streams" : "requests per second";
    throw new ConfigError([{ path: "--rate", received: "nothing", allowed: `--profile ${kind} needs it: ${what}` }]);
  }
  return profile;
}

function isProfile(kind: unknown): kind is Profile {
  return PROFILES.some((profile) => profile === kind);
}

function numberOrText(text: string): unknown {
  const value = Number(text);
  return text.trim() === "" || Number.isNaN(value) ? text : value;
}
