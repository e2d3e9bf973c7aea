import { existsSync } from "node:fs";
import type { ArgumentsCamelCase, CommandModule } from "yargs";
import { nearestName } from "../../core/config/nearestName.js";
import { ConfigError, DataFileError } from "../../core/errors/simulationError.js";
import { BENCH_DATA_FOLDER, loadGpuCatalog } from "../../io/catalog.js";
import type { CommandBody } from "../commandTable.js";
import { endProgress, showProgress } from "../progressLine.js";
import { columnsOf, textTable } from "../textTable.js";

const FORMAT = {
  choices: ["table", "json"],
  default: "table",
  requiresArg: true,
  describe: "what stdout carries",
} as const;
const ACTIONS = ["list", "check", "import"];

export const benchDataCommand: CommandBody = {
  builder: (command) =>
    command.command(listCommand).command(checkCommand).command(importCommand).demandCommand(0, 0).strict(),
  handler: () => {},
};

const listCommand: CommandModule = {
  command: ["list [folder]", "$0 [folder]"],
  describe: "coverage by GPU and kernel family; the built-in tables without a folder",
  builder: (command) =>
    command
      .positional("folder", { type: "string", describe: "folder in the bench_data layout" })
      .option("format", FORMAT),
  handler: async (argv: ArgumentsCamelCase) => {
    const { listBenchData } = await import("../../io/benchData/listBenchData.js");
    const folder = argv.folder === undefined ? BENCH_DATA_FOLDER : String(argv.folder);
    rejectMistypedAction(folder);
    const coverage = listBenchData(folder);
    if (coverage.length === 0) process.stderr.write(`note: ${folder} holds no kernel tables\n`);
    if (argv.format === "json") {
      process.stdout.write(`${JSON.stringify({ schema: "roofserve.bench-data/1", coverage }, null, 2)}\n`);
      return;
    }
    const rows = coverage.map(({ gpu, family, numFiles, numRows, shapes, sources }) => [
      gpu,
      family,
      String(numFiles),
      String(numRows),
      String(shapes.length),
      sources.join(", "),
    ]);
    process.stdout.write(textTable(columnsOf("gpu", "family", "files#", "rows#", "shapes#", "source"), rows));
  },
};

/** `bench-data chekc` reads as a folder to list: say what was probably meant. */
function rejectMistypedAction(folder: string): void {
  const near = existsSync(folder) || /[\\/]/.test(folder) ? null : nearestName(folder, ACTIONS);
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
      .option("format", FORMAT)
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

const importCommand: CommandModule = {
  command: "import <database> <source>",
  describe: "convert a database of kernel measurements to tables for --bench-data",
  builder: (command) =>
    command
      .positional("database", { choices: ["aiconfigurator"] as const, demandOption: true, describe: "whose database" })
      .positional("source", { type: "string", demandOption: true, describe: "its checkout" })
      .option("out", {
        type: "string",
        alias: "o",
        requiresArg: true,
        demandOption: "say where the tables go, e.g. --out my_bench_data",
        describe: "folder to write",
      })
      .option("gpu", { type: "string", requiresArg: true, describe: "only this GPU" })
      .option("vllm-version", {
        type: "string",
        requiresArg: true,
        default: "0.15",
        describe: "tables of this vLLM version, or the last one before it, or where there is none the first after it",
      })
      .example(
        "$0 bench-data import aiconfigurator ~/aiconfigurator --gpu H100 --out tables",
        "then --bench-data tables",
      ),
  handler: async (argv: ArgumentsCamelCase) => {
    const { importAiconfigurator } = await import("../../io/benchData/importAiconfigurator.js");
    const imported = await importAiconfigurator(String(argv.source), String(argv.out), {
      ...(argv.gpu === undefined ? {} : { gpu: String(argv.gpu) }),
      ...(argv["vllm-version"] === undefined ? {} : { vllmVersion: String(argv["vllm-version"]) }),
      onProgress: ({ numFilesDone, numFiles, file }) => showProgress(numFilesDone + 1, numFiles, file),
    });
    endProgress();
    const rows = imported.map(({ gpu, parquet, vllmVersion, numRowsRead, numRowsWritten, numTables }) => [
      gpu,
      parquet,
      vllmVersion,
      String(numRowsRead),
      String(numRowsWritten),
      String(numTables),
    ]);
    process.stdout.write(textTable(columnsOf("gpu", "parquet", "vLLM", "rows read#", "written#", "tables#"), rows));
  },
};
