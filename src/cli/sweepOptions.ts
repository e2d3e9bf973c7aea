import type { Argv } from "yargs";
import { addReportOption } from "./reportOption.js";
import { WORKLOAD_GROUP } from "./workloadOptions.js";

/** Adds what a sweep has beside the options of a run, and two of those with another meaning. */
export function addSweepOptions<T>(command: Argv<T>): Argv<T> {
  const group = "Sweep:";
  return addReportOption(command, "latency and throughput by load, distributions, steps, every point")
    .option("slo", {
      type: "string",
      requiresArg: true,
      group: "Output:",
      describe:
        'limits by which servers are ranked, drawn by --report: "p99 ttft<=500ms, p99 gap<=100ms"; as in plan, itl is GuideLLM\'s, of requests; gap is every single gap, itl of vllm bench serve',
    })
    .option("rate", {
      alias: "rates",
      requiresArg: true,
      group: WORKLOAD_GROUP,
      describe:
        "loads: a list 1,2,4 or a range from:to:count, both ends included; requests per second, with --profile concurrent streams, with --profile sweep how many benchmarks",
    })
    .option("profile", {
      type: "string",
      requiresArg: true,
      group: WORKLOAD_GROUP,
      describe:
        "sweep = GuideLLM's: synchronous, throughput, then constant rates between what these two reached [default without --rate]; else as in run",
    })
    .option("sweep-size", {
      requiresArg: true,
      group,
      describe: "benchmarks of --profile sweep, the first two included [default: 10]",
    })
    .option("vary", {
      type: "string",
      array: true,
      nargs: 1,
      requiresArg: true,
      group,
      describe: "key=value,value,…: one server for each value of any config key; may be given several times",
    })
    .option("seeds", {
      requiresArg: true,
      group,
      describe: "runs of each point, with seeds 1000 apart from --seed on, the same ones for every point [default: 1]",
    })
    .option("workers", { requiresArg: true, group, describe: "threads that simulate [default: one for each core]" })
    .option("out", {
      type: "string",
      alias: "o",
      requiresArg: true,
      group: "Output:",
      describe:
        "run directory: every finished run at once, so that a stopped sweep goes on and a finished one grows; then sweep.json, points.csv, guidellm.json and vllm-bench/; beside a measured sweep comparison.json and comparison.csv",
    })
    .option("restart", {
      type: "boolean",
      group: "Output:",
      describe: "forget the runs that --out holds, as after a change of the config",
    }) as Argv<T>;
}
