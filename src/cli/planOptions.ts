import type { Argv } from "yargs";
import { addReportOption } from "./reportOption.js";

/** Adds what a plan has beside the options of a run. */
export function addPlanOptions<T>(command: Argv<T>): Argv<T> {
  const group = "Plan:";
  return addReportOption(command, "cost against latency, what each server carries, the SLO, every server")
    .option("slo", {
      type: "string",
      requiresArg: true,
      group,
      describe: `what must hold: "p99 ttft<=500ms, p95 itl<=40ms"; ms unless s stands there; statistics mean, p50, p90, p95, p99 of ttft, itl, gap, tpot, e2e, queue, where itl is GuideLLM's (a request's mean gap, once per token) and gap the single gap between two tokens, which vllm bench serve calls itl; without a statistic a limit on each request, and goodput>=95% says how many must keep it [90%]`,
    })
    .option("target-rate", {
      requiresArg: true,
      group,
      describe:
        "requests per second to be served in all; sessions per second where they have several turns [default: what one replica carries]",
    })
    .option("prices", {
      type: "string",
      requiresArg: true,
      group,
      describe:
        'JSON file of your prices, as configs/prices.json: {"prices": [{"gpu", "usdPerGpuHour", "source", "date", and if you like "vendor"}]}; one price a GPU. GPUs without one are ranked by their number, after those that have one',
    })
    .option("vary", {
      type: "string",
      array: true,
      nargs: 1,
      requiresArg: true,
      group,
      describe:
        "key=value,value,…: one server for each value of any config key; may be given several times [default: every priced GPU with kernel data of its own unless --gpu is given, tensorParallelSize=1,2,4,8 unless --tp is]",
    })
    .option("seeds", {
      requiresArg: true,
      group,
      describe:
        "how many draws of the workload find the rate, and as many others check it, the same ones for every server [default: 5, the fewest that tell it with 95 % confidence]",
    })
    .option("out", {
      type: "string",
      alias: "o",
      requiresArg: true,
      group: "Output:",
      describe:
        "folder that keeps every finished trial at once, so that a stopped plan goes on, and a plan of another question takes what it can use; then plan.json and plan.csv",
    })
    .option("rate", { hidden: true })
    .option("workers", {
      requiresArg: true,
      group,
      describe: "threads that simulate [default: one for each core]",
    }) as Argv<T>;
}
