import type { RunDigest } from "../../core/analysis/digest/runDigest.js";
import type { Advice } from "../../core/analysis/knobs/tryKnobs.js";
import type { RunSummary } from "../../core/engine/simulate.js";
import type { ReportPage } from "../../report/reportPage.js";

/** What a run's page is made from. */
export interface RunPageParts {
  readonly summary: RunSummary;
  readonly digest: RunDigest;
  /** null where nothing was served. */
  readonly advice: Advice | null;
  /** The load in words. */
  readonly load: string;
  /** Sentences, the answer first. */
  readonly answer: readonly string[];
}

/** The page of a run: the answer, what its users saw, what the server did, what would help, what made it. */
export function runPage({ summary, digest, advice, load, answer }: RunPageParts): ReportPage {
  const { config, schema: _schema, ...numbers } = summary;
  const { quantiles, timeline, slowest, steps, components, bounds } = digest;
  return {
    schema: "roofserve.report/1",
    version: summary.version,
    title: `${config.model} on ${config.engine.tensorParallelSize} × ${config.gpu}`,
    subtitle: load,
    sections: [
      { kind: "run-answer", answer, summary: numbers },
      { kind: "distributions", quantiles },
      { kind: "timeline", timeline },
      ...(advice === null ? [] : [{ kind: "advice", advice } as const]),
      { kind: "components", steps, components, bounds },
      { kind: "waterfall", slowest },
      {
        kind: "config",
        config,
        says: "The config below has every default filled in: saved as a file, --config FILE makes the same numbers again.",
        notes: summary.notes,
      },
    ],
  };
}
