import type { ArgumentsCamelCase } from "yargs";
import { parseConfig } from "../../core/config/parseConfig.js";
import { type RunConfig, runConfigSchema } from "../../core/engine/runConfig.js";
import { simulateStreaming } from "../../core/engine/simulate.js";
import { createWorkload } from "../../core/workload/createWorkload.js";
import { loadDeployment } from "../../io/loadDeployment.js";
import { withFileHashes } from "../../io/pricingFiles.js";
import { readWorkloadSpecs } from "../../io/workloadSpecs.js";
import type { CommandBody } from "../commandTable.js";
import {
  type Arguments,
  addDeploymentOptions,
  DEPLOYMENT_FLAGS,
  deploymentOf,
  givenConfig,
  withFlagNames,
} from "../deploymentOptions.js";
import { examplesText } from "../examples.js";
import { addRunOutputOptions, type RunWatch, writeRun } from "../runOutput.js";
import { addUncertaintyOption, uncertaintyOf } from "../uncertaintyOption.js";
import { addWorkloadOptions, WORKLOAD_FLAGS, WORKLOAD_PLACES, withWorkload } from "../workloadOptions.js";

const FLAGS = [...DEPLOYMENT_FLAGS, ...WORKLOAD_FLAGS];
/** Every flag and where its value stands, for messages. */
const PLACES = [...FLAGS, ...WORKLOAD_PLACES];

/** How to call roofserve again: npm scripts do not put it on the path. */
const CALL = process.env.npm_lifecycle_event === undefined ? "roofserve" : "npx roofserve";
const NEXT_STEPS = `
What to try next:
  ${CALL} run --gpu L40S --rate 2             the same on a cheaper GPU at 2 requests/s
  ${CALL} run --workload rag                  long prompts; also code, summarise, reasoning, agent
  ${CALL} run --out results                   keep every request; open results/trace.json in ui.perfetto.dev
  ${CALL} step --batch decode:32@1024         where the time of one engine step goes
  ${CALL} --help                              all commands; models and gpus list what is built in
`;

const EXAMPLES = examplesText([
  ["run", "a chat workload on Llama-3.1-8B-Instruct and one H100"],
  ["run -m Qwen/Qwen3-14B -g L40S --max-model-len 16384 --profile poisson --rate 2", "another model, GPU and load"],
  ["run -m Llama-3.1-70B --tp 4 --data prompt_tokens=2048,output_tokens=256 --rate 5", "GuideLLM's --data"],
  ["run --profile concurrent --rate 16 --max-seconds 60", "16 users, each sending again as soon as served"],
  ["run --rate 12 --uncertainty", "how sure the answer is: 80 % intervals from 20 possible worlds"],
  ["run --data trace.jsonl --out results/", "a trace; keep every request"],
  ["run --rate 12 --report run.html", "pictures for a browser, and what would help, tried"],
]);

export const runCommand: CommandBody = {
  builder: (command) =>
    addUncertaintyOption(
      addRunOutputOptions(addWorkloadOptions(addDeploymentOptions(command, ["table", "json", "csv"]))),
    ).epilogue(EXAMPLES),
  handler: async (argv: ArgumentsCamelCase) => {
    const config = withFlagNames(argv, PLACES, () =>
      parseConfig(runConfigSchema, withWorkload(givenConfig(argv, FLAGS), argv), ""),
    );
    await simulateAndWrite(config, argv);
    if (isFirstRun(argv)) process.stderr.write(NEXT_STEPS);
  },
};

/** Nothing was asked for in particular: somebody looks around. */
function isFirstRun(argv: Arguments): boolean {
  const silent = new Set(["_", "$0", "format"]);
  return argv.format === "table" && Object.keys(argv).every((key) => silent.has(key) || argv[key] === undefined);
}

async function simulateAndWrite(given: RunConfig, argv: Arguments): Promise<void> {
  const deployment = deploymentOf(given);
  const config = withFileHashes(given);
  const { specs, notes } = await readWorkloadSpecs(config.workload);
  for (const note of notes) process.stderr.write(`note: ${note}\n`);
  const trace = specs === null ? {} : { specs };
  const openWorkload = (seed: number) => createWorkload(config.workload, seed, trace);
  const intervals = await uncertaintyOf(argv, deployment, config, {
    openWorkload,
    run: "run",
    isGenerated: config.workload.profile.kind !== "trace",
  });
  const simulate = (watch: RunWatch) =>
    withFlagNames(argv, PLACES, () =>
      intervals(simulateStreaming(deployment, config, openWorkload(config.seed), watch)),
    );
  await writeRun(
    argv,
    simulate,
    "run",
    (changed) => simulateStreaming(loadDeployment(changed), changed, openWorkload(changed.seed)).summary,
  );
}
