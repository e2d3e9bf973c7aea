import type { StepErrors } from "./stepErrors.js";

/** Errors are told to a tenth of a percent; a smaller change is none. */
const LEAST_CHANGE_PERCENT = 0.1;

/**
 * Whether prices tell measured steps better than the built-in ones do, in a sentence.
 * @param builtIn of the same steps, in the same order of kinds
 */
export function stepVerdict(builtIn: readonly StepErrors[], given: readonly StepErrors[]): string {
  const [before, after] = [builtIn[0]!, given[0]!];
  const change = comparison(before.meanApe, after.meanApe);
  const means = `mean |error| ${percents(before.meanApe, after.meanApe)}, p90 ${percents(before.p90Ape, after.p90Ape)}`;
  const kinds = given.slice(1).flatMap(({ kind, meanApe }, i) => {
    const former = builtIn[i + 1]!.meanApe;
    const ofKind = comparison(former, meanApe);
    return ofKind === change ? [] : [`${kind} steps ${WORDS[ofKind]}: ${percents(former, meanApe)}`];
  });
  const sentence = `These prices tell the measured steps ${WORDS[change]} ${change === "same" ? "as" : "than"} the built-in ones: ${means}`;
  return `${[sentence, ...kinds].join("; ")}.`;
}

type Comparison = "better" | "worse" | "same";

const WORDS: Readonly<Record<Comparison, string>> = {
  better: "better",
  worse: "worse",
  same: "as well",
};

function comparison(before: number, after: number): Comparison {
  if (Math.abs(after - before) < LEAST_CHANGE_PERCENT) return "same";
  return after < before ? "better" : "worse";
}

function percents(before: number, after: number): string {
  return `${before.toFixed(1)} → ${after.toFixed(1)} %`;
}
