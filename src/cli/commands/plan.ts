import type { ArgumentsCamelCase } from "yargs";
import * as z from "zod";
import { NoPlanError, type PlanResult } from "../../core/analysis/plan/planResult.js";
import { valueAt } from "../../core/config/parseConfig.js";
import { executePlan } from "../../io/plan/executePlan.js";
import { cleanJson } from "../../io/results/cleanJson.js";
import type { CommandBody } from "../commandTable.js";
import { addDeploymentOptions, numberFlag } from "../deploymentOptions.js";
import { examplesText } from "../examples.js";
import { untilInterrupted } from "../interruption.js";
import { addPlanOptions } from "../planOptions.js";
import { askedPlan } from "../planQuestion.js";
import { planAnswer, planName, planSlo, planTable } from "../planTable.js";
import { endProgress, showProgress } from "../progressLine.js";
import { reportFile, writeReportPage } from "../reportOption.js";
import { addWorkloadOptions } from "../workloadOptions.js";

const EXAMPLES = examplesText([
  ['plan --slo "p99 ttft<=500ms, p95 itl<=40ms" --target-rate 20', "the cheapest servers for a chat workload"],
  ['plan -m Llama-3.1-70B --workload rag --slo "p90 ttft<=2s, p90 e2e<=20s"', "what a token costs on each GPU"],
  ['plan -g H100 --tp 1 --vary maxNumSeqs=32,64,128,256 --slo "p95 itl<=25ms"', "the limit that carries most"],
  ['plan --slo "p99 ttft<=500ms" --target-rate 20 --report plan.html', "pictures for a browser"],
  ['plan --slo "ttft<=300ms, tpot<=30ms, goodput>=99%" --prices ours.json', "goodput, and prices of your own"],
]);

const RULES = `A load is held when the SLO is with every seed, and the queue does not grow for as long as requests come. The rate is found
by bisection to 2 %; where the SLO breaks and holds again as the load grows, it is one of the rates at which it breaks. Rates and
--target-rate count sessions where they have several turns. Replicas share the load evenly; a balancer that knows better can do a little better. Requests that do
not complete count as late. Prices are list prices of single days, with source and date: give your own with --prices.`;

export const planCommand: CommandBody = {
  builder: (command) =>
    addPlanOptions(addWorkloadOptions(addDeploymentOptions(command, ["table", "json"]))).epilogue(
      `${EXAMPLES}\n\n${RULES}`,
    ),
  handler: async (argv: ArgumentsCamelCase) => {
    const { series, question } = askedPlan(argv);
    const numWorkers = numberFlag(argv, "workers", z.number().int().min(1).max(256));
    const file = await reportFile(argv);
    const startedMs = performance.now();
    let numDone = 0;
    showProgress(0, series.length, "servers");
    const running = executePlan(series, question, numWorkers, (plan) => {
      numDone++;
      showProgress(numDone, series.length, "servers");
      if (!process.stderr.isTTY) process.stderr.write(`${numDone}/${series.length} ${plan.label}\n`);
    });
    const result = await untilInterrupted(running.result, {
      release: running.release,
      onStop: () => {
        endProgress();
        process.stderr.write("stopped: a plan keeps nothing; --vary or --seeds can make it shorter\n");
      },
    });
    endProgress();
    process.stdout.write(argv.format === "json" ? `${cleanJson(result)}\n` : planTable(result));
    const numTrials = result.plans.reduce((sum, plan) => sum + (plan.isFeasible ? plan.numTrials : 0), 0);
    process.stderr.write(`${numTrials} trials in ${((performance.now() - startedMs) / 1000).toFixed(1)} s\n`);
    if (file !== null) await writePlanPage(file, result);
    if (result.best === null) throw new NoPlanError(result);
  },
};

async function writePlanPage(file: string, result: PlanResult): Promise<void> {
  const { planPage } = await import("../../io/report/planPage.js");
  const target = result.targetRequestsPerS;
  const load = target === null ? "the most that one replica carries" : `${target} requests/s`;
  const model = String(valueAt(result.config, ["model"]) ?? "several models");
  const words = { title: `${model}: ${load}`, subtitle: `within ${planSlo(result)}`, answer: planAnswer(result) };
  await writeReportPage(file, planPage({ result, nameOf: planName, ...words }));
}
