import type { ArgumentsCamelCase } from "yargs";
import * as z from "zod";
import { NoPlanError, type PlanResult } from "../../core/analysis/plan/planResult.js";
import type { Plan } from "../../core/analysis/plan/searchPlan.js";
import { valueAt } from "../../core/config/parseConfig.js";
import { executePlan } from "../../io/plan/executePlan.js";
import { planCsvLines } from "../../io/plan/planCsv.js";
import { planJson, writePlanOutputs } from "../../io/plan/writePlanOutputs.js";
import type { CommandBody } from "../commandTable.js";
import { addDeploymentOptions, numberFlag } from "../deploymentOptions.js";
import { type Example, examplesText } from "../examples.js";
import { untilInterrupted } from "../interruption.js";
import { outFolder } from "../outFolder.js";
import { addPlanOptions } from "../planOptions.js";
import { askedPlan } from "../planQuestion.js";
import { planAnswer, planName, planSlo, planTable, rateLegend, simulationError } from "../planTable.js";
import { endProgress, showProgress } from "../progressLine.js";
import { reportFile, writeReportPage } from "../reportOption.js";
import { addWorkloadOptions } from "../workloadOptions.js";

/** Examples of the help, each of which a test asks. */
export const EXAMPLES: readonly Example[] = [
  ['plan --slo "p99 ttft<=500ms, p95 itl<=40ms" --target-rate 20', "the cheapest servers for a chat workload"],
  ['plan -m Llama-3.1-70B --workload rag --slo "p90 ttft<=2s, p90 e2e<=20s"', "what a token costs on each GPU"],
  ['plan -g H100 --tp 1 --vary maxNumSeqs=32,64,128,256 --slo "p95 itl<=25ms"', "the limit that carries most"],
  ['plan --slo "p99 ttft<=500ms" --target-rate 20 --report plan.html', "pictures for a browser"],
  [
    'plan -m Qwen3-32B --slo "p95 tpot<=40ms" --out plan32/',
    "keeps each trial: if it is stopped, the same command goes on",
  ],
  ['plan --slo "ttft<=300ms, tpot<=30ms, goodput>=99%" --prices ours.json', "goodput, and prices of your own"],
];

const RULES = `A load is held when the SLO is, and the queue does not grow for as long as requests come. Of each seed by itself the highest such
rate is found by bisection to 2 %. The rate that counts is the lower end of what these tell of their median (sign test: of five
seeds the least, 97 % confidence); more seeds bring it nearer. As many other seeds check the load that is planned, and their means
are the numbers shown; where these break the SLO, or half of the seeds do, the load is made smaller. This is about chance in the requests drawn: how true
the simulation is, is another matter (eval/README.md). Rates and --target-rate count sessions where they have several turns. Replicas
share the load evenly; a balancer that knows better can do a little better. Requests that do not complete count as late. Prices are
list prices of single days, with source and date: give your own with --prices. Servers without a price come last, fewest GPUs first.`;

export const planCommand: CommandBody = {
  builder: (command) =>
    addPlanOptions(addWorkloadOptions(addDeploymentOptions(command, ["table", "json", "csv"]))).epilogue(
      `${examplesText(EXAMPLES)}\n\n${RULES}`,
    ),
  handler: async (argv: ArgumentsCamelCase) => {
    const { series, question, unpricedGpus } = askedPlan(argv);
    const folder = outFolder(argv);
    const numWorkers = numberFlag(argv, "workers", z.number().int().min(1).max(256));
    const file = await reportFile(argv);
    const startedMs = performance.now();
    let numDone = 0;
    showProgress(0, series.length, "servers");
    const onPlan = (plan: Plan) => {
      numDone++;
      showProgress(numDone, series.length, "servers");
      if (!process.stderr.isTTY) process.stderr.write(`${numDone}/${series.length} ${plan.label}\n`);
    };
    const running = executePlan(series, question, { numWorkers, folder, onPlan });
    if (running.numFound > 0) process.stderr.write(`found ${running.numFound} finished trials in ${folder}\n`);
    const result = await untilInterrupted(running.result, {
      release: running.release,
      onStop: () => {
        endProgress();
        const kept =
          folder === null
            ? "nothing is kept without --out"
            : `finished trials are kept in ${folder}; the same command goes on from there`;
        process.stderr.write(`stopped: ${kept}\n`);
      },
    });
    endProgress();
    if (folder !== null) for (const path of writePlanOutputs(folder, result)) process.stderr.write(`wrote ${path}\n`);
    if (unpricedGpus.length > 0) {
      const how = "give a price with --prices, or name them with --vary gpu=…";
      process.stderr.write(`note: not considered, for want of a price: ${unpricedGpus.join(", ")}; ${how}\n`);
    }
    process.stdout.write(formatPlan(result, String(argv.format)));
    const numTrials = result.plans.reduce((sum, plan) => sum + (plan.isFeasible ? plan.numTrials : 0), 0);
    process.stderr.write(`${numTrials} trials in ${((performance.now() - startedMs) / 1000).toFixed(1)} s\n`);
    if (file !== null) await writePlanPage(file, result);
    if (result.best === null) throw new NoPlanError(result);
  },
};

function formatPlan(result: PlanResult, format: string): string {
  if (format === "json") return planJson(result);
  return format === "csv" ? [...planCsvLines(result)].join("") : planTable(result);
}

async function writePlanPage(file: string, result: PlanResult): Promise<void> {
  const { planPage } = await import("../../io/report/planPage.js");
  const target = result.targetRequestsPerS;
  const load = target === null ? "the most that one replica carries" : `${target} ${result.rateUnit}/s`;
  const model = String(valueAt(result.config, ["model"]) ?? "several models");
  const words = {
    title: `${model}: ${load}`,
    subtitle: `within ${planSlo(result)}`,
    answer: planAnswer(result),
    legend: `${rateLegend(result)} ${simulationError(result)}`.trimEnd(),
  };
  await writeReportPage(file, planPage({ result, nameOf: planName, ...words }));
}
