import type { Argv, CommandModule } from "yargs";

/** What the module of a command exports: its options, and what it does with them. */
export interface CommandBody {
  readonly builder: (command: Argv) => Argv;
  readonly handler: CommandModule["handler"];
}

/** A command as the list of commands shows it; its module is loaded when it is called. */
export interface CommandEntry {
  /** Its name, then its positional arguments, as yargs writes them. */
  readonly command: string;
  readonly describe: string;
  readonly load: () => Promise<CommandBody>;
}

/** Every command, in the order of the help. */
export const COMMANDS: readonly CommandEntry[] = [
  {
    command: "run",
    describe: "simulate a workload on a model and GPU, and print its latencies",
    load: async () => (await import("./commands/run.js")).runCommand,
  },
  {
    command: "sweep [path]",
    describe: "find where a server saturates: many rates, configs and seeds on all cores",
    load: async () => (await import("./commands/sweep.js")).sweepCommand,
  },
  {
    command: "plan",
    describe: "find the most a server carries within an SLO, and the cheapest servers for a load",
    load: async () => (await import("./commands/plan.js")).planCommand,
  },
  {
    command: "replay <path>",
    describe: "replay a benchmark run or a trace, request by request",
    load: async () => (await import("./commands/replay.js")).replayCommand,
  },
  {
    command: "evaluate <path..>",
    describe: "replay real benchmark runs and compare: measured, predicted, error",
    load: async () => (await import("./commands/evaluate.js")).evaluateCommand,
  },
  {
    command: "calibrate <path..>",
    describe: "fit the server's constants to one benchmark run; check or cross-validate such fits",
    load: async () => (await import("./commands/calibrate.js")).calibrateCommand,
  },
  {
    command: "hypotheses <path..>",
    describe: "test on real runs what the additive model corrects in roofline-v2, one correction at a time",
    load: async () => (await import("./commands/hypotheses.js")).hypothesesCommand,
  },
  {
    command: "step",
    describe: "explain one engine step: every component, what bounds it, and how efficient it is",
    load: async () => (await import("./commands/step.js")).stepCommand,
  },
  {
    command: "explain <log>",
    describe: "explain a run from its step log: time by component, bound, phase and batch; how its prices were found",
    load: async () => (await import("./commands/explain.js")).explainCommand,
  },
  {
    command: "diff <a> <b>",
    describe: "compare two runs (config, metrics, request by request, over time, by component), sweeps or plans",
    load: async () => (await import("./commands/diff.js")).diffCommand,
  },
  {
    command: "models",
    describe: "list the built-in models",
    load: async () => (await import("./commands/models.js")).modelsCommand,
  },
  {
    command: "gpus",
    describe: "list the built-in GPUs",
    load: async () => (await import("./commands/gpus.js")).gpusCommand,
  },
  {
    command: "bench-data [action]",
    describe: "kernel tables: list what there is, check and import measured ones, fit the efficiency model to them",
    load: async () => (await import("./commands/benchData.js")).benchDataCommand,
  },
  {
    command: "characterize <path>",
    describe: "read micro-benchmarks of a GPU: bandwidth by access pattern, launch gaps, and what they change",
    load: async () => (await import("./commands/characterize.js")).characterizeCommand,
  },
];

/** `replay <path>` → `replay`. */
export function commandName({ command }: CommandEntry): string {
  return command.split(" ", 1)[0] as string;
}
