import type { ArgumentsCamelCase, CommandModule } from "yargs";
import { writeEfficiency } from "../../io/benchData/efficiencyFile.js";
import { loadGpu } from "../../io/catalog.js";
import { cleanJson } from "../../io/results/cleanJson.js";
import { requireWritableFile } from "../../io/results/outputFolder.js";
import { examplesText } from "../examples.js";
import { fitTable } from "../fitTable.js";
import { FORMAT_OPTION } from "../formatOption.js";
import { endProgress, showProgress } from "../progressLine.js";

const EXAMPLES = examplesText([
  ["bench-data fit --gpu H200 --data tables", "how well the built-in efficiencies tell the tables, and a fit to them"],
  ["bench-data fit --gpu H200 --data tables --out h200.json", "keep the fit"],
  ["run -g H200 --kernel-efficiency h200.json", "and price with it"],
  ["run -g H100 --kernel-efficiency h200.json", "carried over to a GPU that you do not have"],
]);

const TERMS = [
  "Errors are mean |predicted / measured − 1|. `unseen` are shapes, about half of them, that were kept from a second fit:",
  "`unseen after` is what that fit makes of them, `unseen before` what is in force makes of the same rows. These two decide: a",
  "family whose error does not fall, or whose fit is further off the shapes of built-in models, keeps what it had, and so does",
  "one whose rows do not reach every size class. Collectives, small kernels and sampling are never fitted. Tables price the",
  "shapes they have; a fit is for those they do not have.",
].join(" ");

export const fitCommand: CommandModule = {
  command: "fit",
  describe: "fit the efficiency model to measured tables; its errors before and after, by family and size",
  builder: (command) =>
    command
      .option("gpu", {
        type: "string",
        alias: "g",
        requiresArg: true,
        demandOption: "say which GPU was measured, e.g. --gpu H200",
        describe: "the GPU that was measured: id of a built-in one, or path to a GPU spec (JSON)",
      })
      .option("data", {
        type: "string",
        alias: "d",
        requiresArg: true,
        demandOption: "say where the tables are, e.g. --data tables",
        describe: "folder in the bench_data layout",
      })
      .option("out", {
        type: "string",
        alias: "o",
        requiresArg: true,
        describe: "file to write, for --kernel-efficiency of run, replay, evaluate and others",
      })
      .option("format", FORMAT_OPTION)
      .epilogue(`${EXAMPLES}\n\n${TERMS}`),
  handler: async (argv: ArgumentsCamelCase) => {
    const out = argv.out === undefined ? null : String(argv.out);
    if (out !== null) requireWritableFile(out);
    const gpu = loadGpu(String(argv.gpu));
    const { fitBenchData } = await import("../../io/benchData/fitBenchData.js");
    const fit = fitBenchData(String(argv.data), gpu, (family, number, of) => showProgress(number, of, family));
    endProgress();
    for (const note of fit.notes) process.stderr.write(`note: ${note}\n`);
    if (out !== null) writeEfficiency(out, fit.efficiency);
    process.stdout.write(argv.format === "json" ? `${cleanJson(fit)}\n` : fitTable(fit));
    if (out !== null) process.stderr.write(`wrote ${out} (for --kernel-efficiency)\n`);
  },
};
