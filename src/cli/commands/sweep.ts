import type { ArgumentsCamelCase } from "yargs";
import * as z from "zod";
import { numPoints } from "../../core/analysis/sweep/runSweep.js";
import { sweepFailure } from "../../core/analysis/sweep/sweepFailure.js";
import type { PointResult } from "../../core/analysis/sweep/sweepPoint.js";
import type { SweepResult } from "../../core/analysis/sweep/sweepResult.js";
import type { Slo } from "../../core/metrics/slo.js";
import type { RunningSweep } from "../../io/sweep/executeSweep.js";
import { pointCsvLines } from "../../io/sweep/pointTable.js";
import { sweepJson } from "../../io/sweep/sweepText.js";
import { writeSweepOutputs } from "../../io/sweep/writeSweepOutputs.js";
import type { CommandBody } from "../commandTable.js";
import { type Arguments, addDeploymentOptions, numberFlag, withFlagNames } from "../deploymentOptions.js";
import { examplesText } from "../examples.js";
import { untilInterrupted } from "../interruption.js";
import { sweepFolder } from "../sweepFolder.js";
import { type AskedSweep, askedSweep, SWEEP_FLAGS } from "../sweepGrid.js";
import { addSweepOptions } from "../sweepOptions.js";
import { SweepProgress } from "../sweepProgress.js";
import type { SweepReport } from "../sweepReport.js";
import { sweepTable } from "../sweepTable.js";
import { addWorkloadOptions, workloadName } from "../workloadOptions.js";

const EXAMPLES = examplesText([
  ["sweep", "GuideLLM's sweep of a chat workload: synchronous, throughput, eight rates between them"],
  ["sweep --rate 1:20:10 --seeds 3", "ten rates from 1 to 20 requests/s, three seeds each"],
  ["sweep --rate 2,4,8 --vary gpu=H100,L40S --vary tp=1,2 --out grid/", "four servers; grid/ keeps every finished run"],
  ["sweep --rate 2,4,8,16 --vary gpu=H100,L40S --vary tp=1,2 --out grid/", "one rate more, and nothing run twice"],
  ["sweep guidellm/benchmarks.json", "a measured sweep: its rates and latencies beside those predicted"],
  ['sweep --vary tp=1,2,4 --slo "p99 ttft<=500ms" --seeds 3', "which server carries most within the limit"],
  ['sweep --rate 1:20:10 --slo "p99 ttft<=500ms" --report sweep.html', "pictures for a browser, with the limit drawn"],
  ["sweep --profile concurrent --rate 1,4,16,64 --format csv", "closed loops; a row for each point"],
]);

const RULES = [
  "--vary takes any place of the config: a flag's name (max-num-seqs, tp, workload), a key (maxNumSeqs) or a path " +
    "(workload.data.promptTokens).",
  "A sweep that was stopped goes on where it was when the same command is given with its --out. A finished one may grow: " +
    "give more rates, seeds or --vary values, and only what is new is run. What is no longer asked for stays on disk and " +
    "leaves the tables; anything else that differs is refused.",
  "Points that cannot work are listed with their reason; the exit code is theirs only when no point works, or 70 for a bug.",
].join("\n");

/** What files of requests hold beside tables of means. */
const FIRST_SEED =
  "tables and points.csv are means over the seeds; GuideLLM and vllm-bench files hold the first seed\n";

export const sweepCommand: CommandBody = {
  builder: (command) =>
    addSweepOptions(addWorkloadOptions(addDeploymentOptions(command, ["table", "json", "csv"])))
      .positional("path", {
        type: "string",
        describe: "results of a GuideLLM sweep, a file or its folder, to compare with in place of a sweep of one's own",
      })
      .epilogue(`${EXAMPLES}\n\n${RULES}`),
  handler: async (argv: ArgumentsCamelCase) => {
    if (argv.path !== undefined) {
      const { writeMeasuredSweep } = await import("../measuredSweep.js");
      await writeMeasuredSweep(argv);
      return;
    }
    const folder = sweepFolder(argv);
    const asked = askedSweep(argv);
    const report = await sweepReport(argv, asked.sweep.slo ?? null);
    const { result, benchmarkPieces } = await runAsked(asked, argv, folder);
    const failure = sweepFailure(result.points);
    if (failure === null || failure.code === "invariant") {
      if (folder !== null) {
        const files = writeSweepOutputs(folder, asked.sweep, result, benchmarkPieces);
        for (const file of files) process.stderr.write(`wrote ${file}\n`);
        if (result.grid.seeds.length > 1) process.stderr.write(FIRST_SEED);
      }
      for (const note of result.notes) process.stderr.write(`note: ${note}\n`);
      process.stdout.write(formatSweep(result, argv));
      await report?.write(result, workloadName(argv));
    }
    if (failure !== null) throw failure;
  },
};

async function sweepReport(argv: Arguments, slo: Slo | null): Promise<SweepReport | null> {
  if (argv.report === undefined) return null;
  const { SweepReport } = await import("../sweepReport.js");
  return SweepReport.asked(argv, slo);
}

interface FinishedSweep extends Pick<RunningSweep, "benchmarkPieces"> {
  readonly result: SweepResult;
}

async function runAsked({ sweep, grid }: AskedSweep, argv: Arguments, folder: string | null): Promise<FinishedSweep> {
  // The pool of threads is loaded by nobody who only asks for help.
  const { executeSweep } = await import("../../io/sweep/executeSweep.js");
  const progress = new SweepProgress(numPoints(sweep), sweep.seeds.length);
  const numRuns = { kept: 0, found: 0 };
  const execution = {
    numWorkers: numberFlag(argv, "workers", z.number().int().min(1).max(256)),
    folder,
    startOver: argv.restart === true,
    onRun: (isNew: boolean) => {
      numRuns.kept++;
      if (!isNew) numRuns.found++;
      progress.onRun(isNew);
    },
    onPoint: (point: PointResult) => progress.onPoint(point),
    onFurther: (numFurther: number) => progress.onFurther(numFurther),
  };
  // What is refused was said in flags.
  const running = withFlagNames(argv, SWEEP_FLAGS, () => executeSweep(sweep, grid, execution));
  const startedMs = performance.now();
  if (running.numFound > 0) process.stderr.write(`found ${running.numFound} finished runs in ${folder}\n`);
  const result = await untilInterrupted(running.result, {
    release: running.release,
    onStop: () => {
      progress.end();
      const kept =
        folder === null
          ? "nothing is kept without --out"
          : `${numRuns.kept} of ${progress.numRuns} runs are kept in ${folder}; the same command goes on from there`;
      process.stderr.write(`stopped: ${kept}\n`);
    },
  });
  progress.end();
  const found = numRuns.found === 0 ? "" : `: ${numRuns.kept - numRuns.found} runs, and ${numRuns.found} found`;
  process.stderr.write(`swept in ${((performance.now() - startedMs) / 1000).toFixed(1)} s${found}\n`);
  const numNotAsked = running.numNotAsked();
  if (numNotAsked > 0) process.stderr.write(`${numNotAsked} runs in ${folder} were not asked for: kept, not shown\n`);
  return { result, benchmarkPieces: running.benchmarkPieces };
}

function formatSweep(result: SweepResult, argv: Arguments): string {
  const { format } = argv;
  if (format === "json") return sweepJson(result);
  return format === "csv" ? [...pointCsvLines(result)].join("") : sweepTable(result, workloadName(argv));
}
