import { existsSync } from "node:fs";
import type { ArgumentsCamelCase, CommandModule } from "yargs";
import { nearestName } from "../../core/config/nearestName.js";
import { ConfigError, DataFileError } from "../../core/errors/simulationError.js";
import { BENCH_DATA_FOLDER, loadGpuCatalog } from "../../io/catalog.js";
import { BENCH_DATA_ACTIONS } from "../benchDataActions.js";
import type { CommandBody } from "../commandTable.js";
import { FORMAT_OPTION } from "../formatOption.js";
import { columnsOf, textTable } from "../textTable.js";
import { fitCommand } from "./benchDataFit.js";
import { importCommand } from "./benchDataImport.js";

export const benchDataCommand: CommandBody = {
  builder: (command) =>
    command
      .command(listCommand)
      .command(checkCommand)
      .command(importCommand)
      .command(fitCommand)
      .demandCommand(0, 0)
      .strict(),
  handler: () => {},
};

const listCommand: CommandModule = {
  command: ["list [folder]", "$0 [folder]"],
  describe: "coverage by GPU and kernel family; the built-in tables without a folder",
  builder: (command) =>
    command
      .positional("folder", { type: "string", describe: "folder in the bench_data layout" })
      .option("format", FORMAT_OPTION),
  handler: async (argv: ArgumentsCamelCase) => {
    const { listBenchData } = await import("../../io/benchData/listBenchData.js");
    const { sha256 } = await import("../../io/pricingFiles.js");
    const folder = argv.folder === undefined ? BENCH_DATA_FOLDER : String(argv.folder);
    rejectMistypedAction(folder);
    const coverage = listBenchData(folder);
    if (coverage.length === 0) process.stderr.write(`note: ${folder} holds no kernel tables\n`);
    if (argv.format === "json") {
      const tables = { schema: "roofserve.bench-data/1", sha256: sha256(folder), coverage };
      process.stdout.write(`${JSON.stringify(tables, null, 2)}\n`);
      return;
    }
    const rows = coverage.map(({ gpu, family, numFiles, numRows, shapes, dtypes, sources }) => [
      gpu,
      family,
      String(numFiles),
      String(numRows),
      String(shapes.length),
      dtypes.join(", "),
      sources.join(", "),
    ]);
    const table = textTable(columnsOf("gpu", "family", "files#", "rows#", "shapes#", "dtypes", "source"), rows);
    process.stdout.write(`${table}tables of SHA-256 ${sha256(folder)}\n`);
  },
};

/** `bench-data chekc` reads as a folder to list: say what was probably meant. */
function rejectMistypedAction(folder: string): void {
  const near = existsSync(folder) || /[\\/]/.test(folder) ? null : nearestName(folder, BENCH_DATA_ACTIONS);
  if (near === null) return;
  const allowed = `no such folder; did you mean roofserve bench-data ${near}?`;
  throw new ConfigError([{ path: "command", received: JSON.stringify(folder), allowed }]);
}

const checkCommand: CommandModule = {
  command: "check <folder>",
  describe:
    "validate tables: bad cells, falling latencies, rows faster than physics, what an mfu column was divided by",
  builder: (command) =>
    command
      .positional("folder", { type: "string", demandOption: true, describe: "folder in the bench_data layout" })
      .option("format", FORMAT_OPTION)
      .epilogue("Exit code 3 when a table has an error; warnings and notes leave it 0."),
  handler: async (argv: ArgumentsCamelCase) => {
    const { checkBenchData } = await import("../../io/benchData/checkBenchData.js");
    const { formatBenchDataCheck } = await import("../../io/benchData/formatBenchDataCheck.js");
    const report = checkBenchData(String(argv.folder), loadGpuCatalog());
    process.stdout.write(
      argv.format === "json"
        ? `${JSON.stringify({ schema: "roofserve.bench-data-check/1", ...report }, null, 2)}\n`
        : formatBenchDataCheck(report),
    );
    if (report.severity === "error") {
      throw new DataFileError(
        { file: String(argv.folder) },
        "has errors: see the report; correct or remove these rows",
      );
    }
  },
};
