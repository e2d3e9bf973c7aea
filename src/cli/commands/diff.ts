import type { ArgumentsCamelCase } from "yargs";
import * as z from "zod";
import type { ComparedRun } from "../../core/analysis/diff/comparedRun.js";
import { planDiff } from "../../core/analysis/diff/planDiff.js";
import { type RunDiff, runDiff } from "../../core/analysis/diff/runDiff.js";
import { sweepDiff } from "../../core/analysis/diff/sweepDiff.js";
import { ConfigError } from "../../core/errors/simulationError.js";
import { type ComparedPair, readComparedPair } from "../../io/diff/readCompared.js";
import { engineDefaults } from "../../io/engineDefaults.js";
import { cleanJson } from "../../io/results/cleanJson.js";
import type { CommandBody } from "../commandTable.js";
import type { BothDefaults } from "../configChangeTable.js";
import { numberFlag } from "../deploymentOptions.js";
import { diffTable } from "../diffTable.js";
import { examplesText } from "../examples.js";
import { untilInterrupted } from "../interruption.js";
import { planDiffTable } from "../planDiffTable.js";
import { endProgress, showProgress } from "../progressLine.js";
import { sweepDiffTable } from "../sweepDiffTable.js";

const EXAMPLES = examplesText([
  ["run --out before/", "one run, kept whole"],
  ["run --max-num-seqs 16 --out after/", "the same requests, served otherwise"],
  ["diff before/ after/", "what that changed, where and why"],
  ["diff before/ after/ --seeds 10", "the same over ten sets of requests: each number with an interval"],
  ["diff before/summary.json after.json", "two results of --format json: no requests to pair"],
  ["diff sweep-h100/ sweep-h200/", "two sweeps, point by point; of the same --seeds, seed by seed"],
  ["diff plan-may/ plan-june/", "two plans, server by server"],
  ["run --out before/ --step-log before/steps.jsonl", "with a step log on both sides: by bound and kind of step too"],
]);

const RULES =
  "Requests are paired where workload and seed are the same, or the same trace was replayed. Of the same requests every " +
  "difference is due to the config. Whether other requests of that workload would show it too is another question: where " +
  "a queue forms, or the load is high and the run short, one run cannot tell, and no interval is printed. --seeds N " +
  "simulates both configs with N seeds, the same ones on both sides; the 95 % t-interval of the seeds' changes is that of " +
  "the expected change in a run of this length, in overload too (near saturation runs differ much: take 30).";

export const diffCommand: CommandBody = {
  builder: (command) =>
    command
      .positional("a", {
        type: "string",
        demandOption: true,
        describe: "folder of run, sweep or plan --out, or a result of one of them in JSON",
      })
      .positional("b", { type: "string", demandOption: true, describe: "what to compare with it, of the same kind" })
      .option("seeds", {
        requiresArg: true,
        describe: "of two runs: simulate both configs with so many seeds, 1000 apart from A's on; 5 to 20 are usual",
      })
      .option("format", {
        choices: ["table", "json"],
        default: "table",
        requiresArg: true,
        group: "Output:",
        describe: "what stdout carries",
      })
      .epilogue(`${EXAMPLES}\n\n${RULES}`),
  handler: async (argv: ArgumentsCamelCase) => {
    const numSeeds = numberFlag(argv, "seeds", z.number().int().min(2).max(1000));
    const pair = readComparedPair(String(argv.a), String(argv.b));
    const diff = await diffOf(pair, numSeeds);
    for (const note of diff.notes) process.stderr.write(`note: ${note}\n`);
    process.stdout.write(argv.format === "json" ? `${cleanJson(diff)}\n` : tableOf(diff, defaultsOf(pair)));
  },
};

type Diff = RunDiff | ReturnType<typeof sweepDiff> | ReturnType<typeof planDiff>;

async function diffOf(pair: ComparedPair, numSeeds: number | null): Promise<Diff> {
  if (pair.kind === "run") return numSeeds === null ? runDiff(pair.a, pair.b) : diffOverSeeds(pair, numSeeds);
  if (numSeeds !== null) {
    const allowed = `leave it out: it simulates two runs anew; a ${pair.kind} has --seeds of its own`;
    throw new ConfigError([{ path: "--seeds", received: String(numSeeds), allowed }]);
  }
  return pair.kind === "sweep" ? sweepDiff(pair.a, pair.b) : planDiff(pair.a, pair.b);
}

async function diffOverSeeds({ a, b }: ComparedPair & { kind: "run" }, numSeeds: number): Promise<RunDiff> {
  const { simulateSeeds } = await import("../../io/diff/simulateSeeds.js");
  let numDone = 0;
  const running = simulateSeeds(a, b, numSeeds, () => showProgress(++numDone, running.numRuns, "runs"));
  const { change, notes } = await untilInterrupted(running.result, {
    release: running.release,
    onStop: () => {
      endProgress();
      process.stderr.write("stopped: diff keeps nothing of its simulations; fewer --seeds take less time\n");
    },
  });
  endProgress();
  const diff = runDiff(a, b, change);
  return { ...diff, notes: [...diff.notes, ...notes] };
}

function tableOf(diff: Diff, defaults: BothDefaults): string {
  if (diff.kind === "run") return diffTable(diff, defaults);
  return diff.kind === "sweep" ? sweepDiffTable(diff, defaults) : planDiffTable(diff, defaults);
}

/** What null stands for in the two configs; a run's says what vLLM chose but for the KV blocks, which its numbers say. */
function defaultsOf(pair: ComparedPair): BothDefaults {
  const ofRun = ({ summary }: ComparedRun) => ({ "engine.numGpuBlocksOverride": summary.engine.numGpuBlocks });
  if (pair.kind === "run") return { a: ofRun(pair.a), b: ofRun(pair.b) };
  const [a, b] = pair.kind === "sweep" ? [pair.a.sweep, pair.b.sweep] : [pair.a.plan, pair.b.plan];
  return { a: engineDefaults(a.config), b: engineDefaults(b.config) };
}
