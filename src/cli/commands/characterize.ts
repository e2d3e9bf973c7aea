import type { ArgumentsCamelCase } from "yargs";
import { parseConfig } from "../../core/config/parseConfig.js";
import { runConfigSchema } from "../../core/engine/runConfig.js";
import { writeCharacterization } from "../../io/characterization/characterizationFile.js";
import { characterizeGpu } from "../../io/characterization/characterizeGpu.js";
import { cleanJson } from "../../io/results/cleanJson.js";
import { characterizeTable } from "../characterizeTable.js";
import type { CommandBody } from "../commandTable.js";
import { configFromFlags } from "../configFlags.js";
import { addFlags, DEPLOYMENT_FLAGS, withFlagNames } from "../deploymentOptions.js";
import { examplesText } from "../examples.js";

/** What the difference is shown on. */
const SHOWN_ON_FLAGS = DEPLOYMENT_FLAGS.filter(({ name }) => ["model", "tensor-parallel-size"].includes(name));

const EXAMPLES = examplesText([
  ["characterize data.csv --gpu L4", "what the memory of an L4 achieves, and what that changes"],
  ["characterize bench_data -g H100 --out h100.json", "keep it: bench_data/characterization/h100/data.csv → h100.json"],
  ["run -g H100 --characterization h100.json", "and price with it"],
]);

// A paragraph in one line, which yargs wraps; the example not indented and narrow, so that it works as pasted.
const FORMAT = `${[
  "The CSV has one timed run a row; bench_data/README.md defines its columns and says how to measure.",
  "Each pattern needs 3 sizes or more, of data larger than twice the L2 cache; launch gaps need both orders of 2",
  "numbers of kernels. With made-up numbers:",
].join(" ")}

suite,pattern,bytes,block_bytes,working_set_bytes,kernels,latency_us,device
bandwidth,sequential,1073741824,,4294967296,,380.1,NVIDIA H100
bandwidth,sequential,2147483648,,4294967296,,757.3,NVIDIA H100
bandwidth,sequential,4294967296,,4294967296,,1511.5,NVIDIA H100
bandwidth,scattered,1073741824,32768,4294967296,,430.4,NVIDIA H100
bandwidth,scattered,2147483648,32768,4294967296,,857.8,NVIDIA H100
bandwidth,scattered,4294967296,32768,4294967296,,1712.5,NVIDIA H100
launch_gap,grouped,,,,160,460.1,NVIDIA H100
launch_gap,grouped,,,,320,910.4,NVIDIA H100
launch_gap,interleaved,,,,160,570.0,NVIDIA H100
launch_gap,interleaved,,,,320,1130.2,NVIDIA H100`;

export const characterizeCommand: CommandBody = {
  builder: (command) =>
    addFlags(
      command
        .positional("path", {
          type: "string",
          demandOption: true,
          describe: "CSV of the micro-benchmarks, or a folder with it in data.csv or characterization/<gpu>/data.csv",
        })
        .option("gpu", {
          type: "string",
          alias: "g",
          requiresArg: true,
          demandOption: "say which GPU was measured, e.g. --gpu L40S",
          describe: "the GPU that was measured: id of a built-in one, or path to a GPU spec (JSON)",
        })
        .option("out", {
          type: "string",
          alias: "o",
          requiresArg: true,
          describe: "file to write, for --characterization of run, replay, evaluate and step",
        })
        .option("format", {
          choices: ["table", "json"],
          default: "table",
          requiresArg: true,
          describe: "what stdout carries",
        }),
      SHOWN_ON_FLAGS,
      "Shown on:",
    ).epilogue(`${EXAMPLES}\n\n${FORMAT}`),
  handler: (argv: ArgumentsCamelCase) => {
    const given = configFromFlags(SHOWN_ON_FLAGS, argv);
    const report = withFlagNames(argv, SHOWN_ON_FLAGS, () => {
      const config = parseConfig(runConfigSchema.omit({ workload: true }), { ...given, gpu: argv.gpu }, "");
      return characterizeGpu(String(argv.path), config);
    });
    if (argv.out !== undefined) {
      writeCharacterization(String(argv.out), report.characterization);
      process.stderr.write(`wrote ${argv.out} (for --characterization)\n`);
    }
    process.stdout.write(argv.format === "json" ? `${cleanJson(report)}\n` : characterizeTable(report));
  },
};
