import type { Argv } from "yargs";
import * as z from "zod";
import type { Deployment } from "../core/engine/createServer.js";
import type { RunConfig } from "../core/engine/runConfig.js";
import type { StreamedResult } from "../core/engine/simulate.js";
import type { UncertaintyOptions } from "../core/evaluation/uncertainty/simulateWorlds.js";
import { MIN_DRAWS } from "../core/metrics/interval.js";
import type { Workload } from "../core/workload/workload.js";
import { type Arguments, numberFlag } from "./deploymentOptions.js";
import { endProgress, showProgress } from "./progressLine.js";

/** Enough for the ends of an 80 % interval to settle within a fifth of its width, in 20 times the time of a run. */
const DEFAULT_DRAWS = 20;

/** Adds `--uncertainty [draws]`. */
export function addUncertaintyOption<T>(command: Argv<T>): Argv<T> {
  return command.option("uncertainty", {
    type: "string",
    group: "Output:",
    describe:
      `80 % intervals, from so many runs in which what is not known differs: kernel prices, the server, the seed ` +
      `[${DEFAULT_DRAWS} unless --uncertainty=N says otherwise, N from ${MIN_DRAWS} on]`,
  }) as Argv<T>;
}

/** Worlds to draw, null without the flag. @throws ConfigError for too few */
export function uncertaintyDraws(argv: Arguments): number | null {
  if (argv.uncertainty === "") return DEFAULT_DRAWS;
  return numberFlag(argv, "uncertainty", z.number().int().min(MIN_DRAWS).max(10_000));
}

/** Where the requests of a run's possible worlds come from. */
export interface WorldRequests extends Pick<UncertaintyOptions, "run" | "isGenerated"> {
  readonly openWorkload: (seed: number) => Workload;
}

/** What adds to a result of this deployment and config the intervals that `--uncertainty` asks for, or nothing. */
export async function uncertaintyOf(
  argv: Arguments,
  deployment: Deployment,
  config: RunConfig,
  { openWorkload, ...from }: WorldRequests,
): Promise<(result: StreamedResult) => StreamedResult> {
  const draws = uncertaintyDraws(argv);
  if (draws === null) return (result) => result;
  const { simulateWorlds } = await import("../core/evaluation/uncertainty/simulateWorlds.js");
  const onDraw = (draw: number) => showProgress(draw + 1, draws, "possible worlds");
  return (result) => {
    const uncertainty = simulateWorlds(deployment, config, result, openWorkload, { ...from, draws, onDraw });
    endProgress();
    return { ...result, summary: { ...result.summary, uncertainty } };
  };
}
