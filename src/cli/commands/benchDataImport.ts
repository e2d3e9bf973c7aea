import type { ArgumentsCamelCase, CommandModule } from "yargs";
import { ConfigError } from "../../core/errors/simulationError.js";
import { loadGpu, loadGpuCatalog } from "../../io/catalog.js";
import { examplesText } from "../examples.js";
import { FORMAT_OPTION } from "../formatOption.js";
import { importNextSteps } from "../importNextSteps.js";
import { importedTables } from "../importTable.js";
import { endProgress, showProgress } from "../progressLine.js";
import { columnsOf, textTable } from "../textTable.js";

/** The database that `import` knows by name; anything else is a folder. */
const AICONFIGURATOR = "aiconfigurator";

const EXAMPLES = examplesText([
  ["bench-data import my-h200 --out tables", "what bench_data/collect measured, checked, into the set `tables`"],
  ["run -g H200 --bench-data tables", "and price with it"],
  ["bench-data import aiconfigurator ~/aiconfigurator --gpu H100 --out nvidia", "NVIDIA's database, converted"],
]);

const TERMS = [
  "A measured folder is imported whole or not at all: a bad cell, an unknown GPU or a collected.json of another device refuses",
  "it, and so does a row whose device column names another GPU. Rows faster than physics, not repeatable within 5 %, or more",
  "than a quarter slower than a larger shape are listed and left out. Tables that the set has of other GPUs stay; what it was",
  "before keeps its own folder, <set>.before-<hash>, unless it is the same, and is brought back by moving it to the set's",
  "place, or used with --bench-data as it is. No set is ever used unless --bench-data, or benchData in a config, names it.",
].join(" ");

export const importCommand: CommandModule = {
  command: "import <source> [checkout]",
  describe: "make a measured folder, or a database of kernel measurements, a table set for --bench-data",
  builder: (command) =>
    command
      .positional("source", {
        type: "string",
        demandOption: true,
        describe: `a measured folder in the bench_data layout; or ${AICONFIGURATOR}, with its checkout`,
      })
      .positional("checkout", { type: "string", describe: `checkout of ${AICONFIGURATOR}` })
      .option("out", {
        type: "string",
        alias: "o",
        requiresArg: true,
        demandOption: "say where the tables go, e.g. --out my_bench_data",
        describe: "folder of the set",
      })
      .option("gpu", {
        type: "string",
        requiresArg: true,
        describe: "only this GPU; a path to a GPU spec (JSON) where it is none of the built-in ones",
      })
      .option("vllm-version", {
        type: "string",
        requiresArg: true,
        describe: `of ${AICONFIGURATOR}: all tables of this vLLM version, or the last one before it, or where there is none the first after it (default: by family and element type those that the built-in efficiencies were fitted to)`,
      })
      .option("format", FORMAT_OPTION)
      .epilogue(`${EXAMPLES}\n\n${TERMS}`),
  handler: (argv: ArgumentsCamelCase) => (argv.source === AICONFIGURATOR ? importDatabase(argv) : importFolder(argv)),
};

async function importFolder(argv: ArgumentsCamelCase): Promise<void> {
  const allowed = `leave it out: only ${AICONFIGURATOR} has it, as in bench-data import ${AICONFIGURATOR} <checkout>`;
  const issues = (["checkout", "vllm-version"] as const)
    .filter((name) => argv[name] !== undefined)
    .map((name) => ({ path: name === "checkout" ? "checkout" : `--${name}`, received: String(argv[name]), allowed }));
  if (issues.length > 0) throw new ConfigError(issues);
  const { importCollected } = await import("../../io/benchData/importCollected.js");
  const only = argv.gpu === undefined ? null : loadGpu(String(argv.gpu));
  const catalog = loadGpuCatalog();
  const gpus = only === null || catalog.some(({ id }) => id === only.id) ? catalog : [...catalog, only];
  const [source, out] = [String(argv.source), String(argv.out)];
  const imported = importCollected(source, out, gpus, only, showProgress);
  endProgress();
  for (const note of imported.notes) process.stderr.write(`note: ${note}\n`);
  if (argv.format === "json") {
    process.stdout.write(`${JSON.stringify(imported, null, 2)}\n`);
    return;
  }
  const known = catalog.map(({ id }) => id);
  const named = imported.gpus.map((id) => ({ id, name: known.includes(id) ? id : String(argv.gpu) }));
  process.stdout.write(`${importedTables(imported)}${importNextSteps({ source, out, gpus: named })}`);
}

async function importDatabase(argv: ArgumentsCamelCase): Promise<void> {
  if (argv.checkout === undefined) {
    const allowed = `give the folder of its checkout: bench-data import ${AICONFIGURATOR} <checkout>`;
    throw new ConfigError([{ path: "checkout", received: "nothing", allowed }]);
  }
  const { importAiconfigurator } = await import("../../io/benchData/importAiconfigurator.js");
  const imported = await importAiconfigurator(String(argv.checkout), String(argv.out), {
    ...(argv.gpu === undefined ? {} : { gpu: String(argv.gpu) }),
    ...(argv["vllm-version"] === undefined ? {} : { vllmVersion: String(argv["vllm-version"]) }),
    onProgress: ({ numFilesDone, numFiles, file }) => showProgress(numFilesDone + 1, numFiles, file),
  });
  endProgress();
  if (argv.format === "json") {
    const converted = { schema: "roofserve.aiconfigurator-import/1", files: imported };
    process.stdout.write(`${JSON.stringify(converted, null, 2)}\n`);
    return;
  }
  const rows = imported.map(({ gpu, parquet, vllmVersion, numRowsRead, numRowsWritten, numTables }) => [
    gpu,
    parquet,
    vllmVersion,
    String(numRowsRead),
    String(numRowsWritten),
    String(numTables),
  ]);
  const table = textTable(columnsOf("gpu", "parquet", "vLLM", "rows read#", "written#", "tables#"), rows);
  const known = loadGpuCatalog().filter(({ id }) => imported.some(({ gpu }) => gpu === id.toLowerCase()));
  const gpus = known.map(({ id }) => ({ id, name: id }));
  process.stdout.write(`${table}${importNextSteps({ source: null, out: String(argv.out), gpus })}`);
}
