import { numLayers } from "../../core/model/layerKinds.js";
import { activeParameterCount, parameterCount } from "../../core/model/weights.js";
import { loadModelCatalog } from "../../io/catalog.js";
import type { CommandBody } from "../commandTable.js";
import { numberColumns, textTable } from "../textTable.js";

export const modelsCommand: CommandBody = {
  builder: (command) =>
    command
      .option("format", {
        choices: ["table", "json"],
        default: "table",
        requiresArg: true,
        describe: "what stdout carries",
      })
      .epilogue("Any Hugging Face config.json of a dense or MoE decoder works too: --model path/to/config.json"),
  handler: (argv) => {
    const rows = loadModelCatalog().map(({ id, architecture, source }) => ({
      id,
      parameters: parameterCount(architecture),
      activeParameters: activeParameterCount(architecture),
      layers: numLayers(architecture),
      hiddenSize: architecture.hiddenSize,
      vocabSize: architecture.vocabSize,
      maxModelLen: architecture.maxPositionEmbeddings,
      weightDtype: architecture.weightDtype,
      source,
    }));
    if (argv.format === "json") {
      process.stdout.write(`${JSON.stringify({ schema: "roofserve.models/1", models: rows }, null, 2)}\n`);
      return;
    }
    const columns = numberColumns("model", "parameters", "active", "layers", "hidden", "vocab", "max len", "dtype");
    const cells = rows.map((row) => [
      row.id,
      `${(row.parameters / 1e9).toFixed(2)} B`,
      `${(row.activeParameters / 1e9).toFixed(2)} B`,
      String(row.layers),
      String(row.hiddenSize),
      String(row.vocabSize),
      String(row.maxModelLen),
      row.weightDtype,
    ]);
    process.stdout.write(textTable(columns, cells));
  },
};
