import type { ErrorSummary } from "../../core/evaluation/evaluationReport.js";
import { element, section } from "../element.js";
import { printPercent } from "../numbers.js";
import type { EvaluationAnswerSection } from "../reportPage.js";
import { type Tile, tileGrid } from "../tiles.js";

/** How far the predictions were off, in a sentence and five numbers. */
export function evaluationAnswer({ summary, numRuns, numExcluded }: EvaluationAnswerSection): HTMLElement {
  const { e2eMeanApe, e2eP99Ape, ttftMeanApe, ttftP50Ape, itlMeanApe } = summary;
  const excluded = numExcluded === 0 ? "" : ` ${numExcluded} more could not be compared fairly and do not count.`;
  return section(
    "answer",
    "Answer",
    element(
      "p",
      { class: "lead" },
      numRuns === 0
        ? "No run could be compared."
        : `Over ${numRuns} measured ${numRuns === 1 ? "run" : "runs"} the predicted mean end-to-end latency is off by ` +
            `${printPercent(e2eMeanApe.mean)} on average, ${printPercent(e2eMeanApe.max)} at worst.`,
    ),
    excluded === "" ? null : element("p", {}, excluded.trim()),
    tileGrid([
      errorTile("E2E mean", "mean end-to-end latency", "e2e", e2eMeanApe),
      errorTile("E2E p99", "99th percentile of the end-to-end latency", "e2e", e2eP99Ape),
      errorTile("TTFT mean", "mean time to first token", "ttft", ttftMeanApe),
      errorTile("TTFT median", "median time to first token", "ttft", ttftP50Ape),
      errorTile("ITL mean", "mean time between output tokens", "itl", itlMeanApe),
    ]),
  );
}

function errorTile(name: string, title: string, metric: Tile["metric"], errors: ErrorSummary): Tile {
  return {
    name,
    title: `error of the ${title}`,
    metric,
    value: printPercent(errors.mean),
    unit: "|error|",
    details: [`median ${printPercent(errors.median)}`, `worst ${printPercent(errors.max)}`],
  };
}
