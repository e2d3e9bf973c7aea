import type { ArgumentsCamelCase } from "yargs";
import { runDiff } from "../../core/analysis/diff/runDiff.js";
import { sweepDiff } from "../../core/analysis/diff/sweepDiff.js";
import { readComparedPair } from "../../io/diff/readCompared.js";
import { cleanJson } from "../../io/results/cleanJson.js";
import type { CommandBody } from "../commandTable.js";
import { diffTable } from "../diffTable.js";
import { examplesText } from "../examples.js";
import { sweepDiffTable } from "../sweepDiffTable.js";

const EXAMPLES = examplesText([
  ["run --out before/", "one run, kept whole"],
  ["run --max-num-seqs 16 --out after/", "the same requests, served otherwise"],
  ["diff before/ after/", "what that changed, where and why"],
  ["diff before/summary.json after.json", "two results of --format json: no requests to pair"],
  ["diff sweep-h100/ sweep-h200/", "two sweeps, point by point"],
  ["run --out before/ --step-log before/steps.jsonl", "with a step log on both sides: by bound and kind of step too"],
]);

const RULES =
  "Requests are paired where workload and seed are the same, or the same trace was replayed. Of the same requests every " +
  "difference is due to the config; the 95 % interval says whether other requests of that workload would show it too, " +
  "from the means of twenty stretches of the run. Runs of different seeds or workloads are not paired: to tell a change " +
  "from chance, give both the same seed, or compare sweeps of several --seeds.";

export const diffCommand: CommandBody = {
  builder: (command) =>
    command
      .positional("a", {
        type: "string",
        demandOption: true,
        describe: "folder of run --out or sweep --out, or their result in JSON",
      })
      .positional("b", { type: "string", demandOption: true, describe: "what to compare with it, of the same kind" })
      .option("format", {
        choices: ["table", "json"],
        default: "table",
        requiresArg: true,
        group: "Output:",
        describe: "what stdout carries",
      })
      .epilogue(`${EXAMPLES}\n\n${RULES}`),
  handler: (argv: ArgumentsCamelCase) => {
    const pair = readComparedPair(String(argv.a), String(argv.b));
    const diff = pair.kind === "run" ? runDiff(pair.a, pair.b) : sweepDiff(pair.a, pair.b);
    for (const note of diff.notes) process.stderr.write(`note: ${note}\n`);
    const isJson = argv.format === "json";
    process.stdout.write(
      isJson ? `${cleanJson(diff)}\n` : diff.kind === "run" ? diffTable(diff) : sweepDiffTable(diff),
    );
  },
};
