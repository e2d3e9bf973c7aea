import type { RunDigest } from "../core/analysis/digest/runDigest.js";
import type { Advice } from "../core/analysis/knobs/tryKnobs.js";
import type { RunSummary } from "../core/engine/simulate.js";
import type { EvaluatedRun, EvaluationReport } from "../core/evaluation/evaluationReport.js";
import type { MeasuredQuantiles } from "../core/evaluation/measuredQuantiles.js";
import type { PlanSection } from "./planSections.js";
import type { SweepSection } from "./sweepSections.js";

/** The data of a page, as it stands in the HTML file: a heading, and sections from top to bottom. */
export interface ReportPage {
  readonly schema: "roofserve.report/1";
  /** roofserve's version. */
  readonly version: string;
  readonly title: string;
  /** One line below the title. */
  readonly subtitle: string;
  readonly sections: readonly ReportSection[];
}

/** A run in a sentence or three, and its headline numbers. */
export interface RunAnswerSection {
  readonly kind: "run-answer";
  /** Sentences; the first is the answer. */
  readonly answer: readonly string[];
  readonly summary: Omit<RunSummary, "config" | "schema">;
}

/** How latencies spread over the requests. */
export interface DistributionsSection {
  readonly kind: "distributions";
  readonly quantiles: RunDigest["quantiles"];
}

/** Requests, tokens per step and KV cache over simulated time. */
export interface TimelineSection {
  readonly kind: "timeline";
  readonly timeline: RunDigest["timeline"];
}

/** What the GPU's time goes to. */
export interface ComponentsSection extends Pick<RunDigest, "steps" | "components" | "bounds"> {
  readonly kind: "components";
}

/** The bottleneck, and what changes of one option did about it. */
export interface AdviceSection {
  readonly kind: "advice";
  readonly advice: Advice;
}

/** The slowest requests, phase by phase. */
export interface WaterfallSection {
  readonly kind: "waterfall";
  readonly slowest: RunDigest["slowest"];
}

/** What made the page. */
export interface ConfigSection {
  readonly kind: "config";
  readonly config: object;
  /** What the config is, in a sentence. */
  readonly says: string;
  readonly notes: readonly string[];
}

/** Errors over all measured runs. */
export interface EvaluationAnswerSection {
  readonly kind: "evaluation-answer";
  readonly summary: Omit<EvaluationReport["summary"], "coverage" | "breakdown">;
  readonly numRuns: number;
  readonly numExcluded: number;
}

/** Predicted against measured, a point per run and number; and errors by run. */
export interface ScatterSection {
  readonly kind: "scatter";
  readonly runs: readonly Pick<EvaluatedRun, "name" | "metrics" | "excluded" | "regime">[];
}

/** Distributions measured and predicted, run by run. */
export interface TwoWorldsSection {
  readonly kind: "two-worlds";
  readonly runs: readonly {
    readonly name: string;
    readonly model: string;
    readonly hardware: string;
    readonly numCompared: number;
    readonly quantiles: MeasuredQuantiles;
  }[];
}

export type ReportSection =
  | RunAnswerSection
  | DistributionsSection
  | TimelineSection
  | ComponentsSection
  | AdviceSection
  | WaterfallSection
  | ConfigSection
  | EvaluationAnswerSection
  | ScatterSection
  | TwoWorldsSection
  | SweepSection
  | PlanSection;

/** Element ids of the HTML file that the page's program looks for. */
export const DATA_ELEMENT_ID = "report-data";
export const PAGE_ELEMENT_ID = "page";
