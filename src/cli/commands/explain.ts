import type { ArgumentsCamelCase } from "yargs";
import { StepLogExplainer } from "../../core/analysis/stepLogExplainer.js";
import { cleanJson } from "../../io/results/cleanJson.js";
import { openStepLog } from "../../io/results/readStepLog.js";
import type { CommandBody } from "../commandTable.js";
import { examplesText } from "../examples.js";
import { explainTable } from "../explainTable.js";

const EXAMPLES = examplesText([
  ["run --workload rag --step-log steps.jsonl", "write the log of a run"],
  ["explain steps.jsonl", "where its time went, and how far to trust the prices"],
  ["explain steps.jsonl --format json", "the same for a program"],
]);

export const explainCommand: CommandBody = {
  builder: (command) =>
    command
      .positional("log", { type: "string", demandOption: true, describe: "file that run or replay --step-log wrote" })
      .option("format", {
        choices: ["table", "json"],
        default: "table",
        requiresArg: true,
        group: "Output:",
        describe: "what stdout carries",
      })
      .epilogue(
        `${EXAMPLES}\n\nBound by launch: a kernel's fixed cost exceeds what its FLOPs and bytes need. A price is interpolated ` +
          "inside the measurements behind it, extrapolated beyond them (1.5 times its edge: a shape number is 1.5 times the " +
          "largest measured, or the smallest 1.5 times it), modelled where a formula without measurements gives it.",
      ),
  handler: (argv: ArgumentsCamelCase) => {
    const { header, steps } = openStepLog(String(argv.log));
    const explainer = new StepLogExplainer(header);
    for (const step of steps) explainer.add(step);
    const report = explainer.report();
    process.stdout.write(argv.format === "json" ? `${cleanJson(report)}\n` : explainTable(report));
  },
};
