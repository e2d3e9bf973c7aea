import type { ArgumentsCamelCase } from "yargs";
import { parseConfig } from "../../core/config/parseConfig.js";
import { createServer } from "../../core/engine/createServer.js";
import { explainStep, parseBatch, type StepReport } from "../../core/engine/explainStep.js";
import { runConfigSchema } from "../../core/engine/runConfig.js";
import type { CommandBody } from "../commandTable.js";
import {
  addDeploymentOptions,
  DEPLOYMENT_FLAGS,
  deploymentOf,
  givenConfig,
  withFlagNames,
} from "../deploymentOptions.js";
import { examplesText } from "../examples.js";
import { PRICE_WORDS } from "../priceWords.js";
import { columnsOf, printNumber, textTable } from "../textTable.js";

/** A step needs no workload; a config file may have one all the same. */
const stepConfigSchema = runConfigSchema.partial({ workload: true });

const EXAMPLES = examplesText([
  ["step --batch decode:32@1024,prefill:512@0", "a mixed step on the default model and GPU"],
  ["step -m meta-llama/Llama-3.1-70B --tp 4 --batch decode:64@2048", "decode on four GPUs"],
]);

export const stepCommand: CommandBody = {
  builder: (command) =>
    addDeploymentOptions(command, ["table", "json"])
      .option("batch", {
        type: "string",
        alias: "b",
        requiresArg: true,
        demandOption: "say what the step computes, e.g. --batch decode:32@1024,prefill:512@0",
        group: "Step:",
        describe:
          "decode:REQUESTS@CONTEXT and prefill:NEW_TOKENS@CONTEXT, separated by commas; CONTEXT = tokens already in the KV cache of each request",
      })
      .epilogue(`${EXAMPLES}\n\n${PRICE_WORDS}`),
  handler: (argv: ArgumentsCamelCase) => {
    const config = withFlagNames(argv, DEPLOYMENT_FLAGS, () =>
      parseConfig(stepConfigSchema, givenConfig(argv, DEPLOYMENT_FLAGS), ""),
    );
    const rows = parseBatch(String(argv.batch));
    const deployment = deploymentOf(config);
    const report = withFlagNames(argv, DEPLOYMENT_FLAGS, () =>
      explainStep(createServer(deployment, config.engine, config.sampling), rows),
    );
    process.stdout.write(argv.format === "json" ? `${JSON.stringify(report, null, 2)}\n` : stepTable(report));
  },
};

function stepTable(report: StepReport): string {
  const { stepUs, gpuUs, cpuUs, numTokens, paddedTokens } = report;
  const columns = columnsOf(
    "component",
    "µs#",
    "share %#",
    "runs#",
    "GFLOP#",
    "MB#",
    "bound by",
    "efficiency#",
    "source",
    "lookup",
  );
  const rows = report.components.map((component) => [
    component.name,
    printNumber(component.us),
    printNumber((100 * component.us) / gpuUs),
    String(component.count),
    printNumber(component.flops / 1e9, 2),
    printNumber(component.bytes / 1e6, 2),
    component.boundBy,
    printNumber(component.efficiency || null, 2),
    component.source,
    lookupText(component),
  ]);
  const padding = paddedTokens === numTokens ? "" : `, padded to ${paddedTokens}`;
  return `step ${printNumber(stepUs)} µs = GPU ${printNumber(gpuUs)} µs + CPU in the open ${printNumber(cpuUs)} µs; ${numTokens} token${numTokens === 1 ? "" : "s"}${padding}\n\n${textTable(columns, rows)}`;
}

/** `extrapolated ×1.96`: a shape number lies at 1.96 times the edge of the data, or of the nearest row, or at 1/1.96. */
function lookupText({ lookup, lnDistance }: StepReport["components"][number]): string {
  if (lookup === null) return "–";
  return lnDistance > 0 ? `${lookup} ×${printNumber(Math.exp(lnDistance), 2)}` : lookup;
}
