import type { Argv } from "yargs";
import { z } from "zod";
import type { SimulationResult } from "../core/engine/simulate.js";
import { MIN_DRAWS } from "../core/metrics/interval.js";
import type { RunUncertainty } from "../core/metrics/runUncertainty.js";
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
      `[${DEFAULT_DRAWS} unless --uncertainty=N says otherwise]`,
  }) as Argv<T>;
}

/** Worlds to draw, null without the flag. @throws ConfigError for too few */
export function uncertaintyDraws(argv: Arguments): number | null {
  if (argv.uncertainty === "") return DEFAULT_DRAWS;
  return numberFlag(argv, "uncertainty", z.number().int().min(MIN_DRAWS).max(10_000));
}

/** Shows which world is being simulated. */
export function showDraw(draw: number, draws: number): void {
  showProgress(draw + 1, draws, "possible worlds");
}

/** The result with what `intervals` finds. */
export function withUncertainty(
  result: SimulationResult,
  intervals: (central: SimulationResult) => RunUncertainty,
): SimulationResult {
  const uncertainty = intervals(result);
  endProgress();
  return { ...result, summary: { ...result.summary, uncertainty } };
}
