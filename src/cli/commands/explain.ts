import type { ArgumentsCamelCase } from "yargs";
import { StepLogExplainer } from "../../core/analysis/stepLogExplainer.js";
import { cleanJson } from "../../io/results/cleanJson.js";
import { openStepLog } from "../../io/results/readStepLog.js";
import type { CommandBody } from "../commandTable.js";
import { examplesText } from "../examples.js";
import { explainTable } from "../explainTable.js";
import { PRICE_WORDS } from "../priceWords.js";

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
        `${EXAMPLES}\n\n${PRICE_WORDS} Running, waiting and KV cache are as a step was planned: who waits has found no ` +
          "place in it.",
      ),
  handler: (argv: ArgumentsCamelCase) => {
    const { header, steps } = openStepLog(String(argv.log));
    const explainer = new StepLogExplainer(header);
    for (const step of steps) explainer.add(step);
    const report = explainer.report();
    process.stdout.write(argv.format === "json" ? `${cleanJson(report)}\n` : explainTable(report));
  },
};
