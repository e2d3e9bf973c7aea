import { RunDigester } from "../core/analysis/digest/runDigest.js";
import { adviseOn } from "../core/analysis/knobs/tryKnobs.js";
import type { RunConfig } from "../core/engine/runConfig.js";
import type { RunSummary, SimulationResult } from "../core/engine/simulate.js";
import { loadGpu, loadGpuCatalog } from "../io/catalog.js";
import { runPage } from "../io/report/runPage.js";
import { endProgress, showProgress } from "./progressLine.js";
import { writeReportPage } from "./reportOption.js";
import { loadLine } from "./runTable.js";
import { verdict } from "./verdict.js";

/** Watches a run for its `--report`, tries what may help, and writes the page. */
export class RunReport {
  readonly observer = new RunDigester();
  readonly #file: string;
  readonly #simulateWith: (config: RunConfig) => RunSummary;

  /** @param simulateWith simulates the same requests with another config */
  constructor(file: string, simulateWith: (config: RunConfig) => RunSummary) {
    this.#file = file;
    this.#simulateWith = simulateWith;
  }

  /** @throws DataFileError when the file cannot be written */
  async write(result: SimulationResult): Promise<void> {
    const { summary } = result;
    const digest = this.observer.digest(result);
    const tunable = { config: summary.config, gpu: loadGpu(summary.config.gpu), otherGpus: loadGpuCatalog() };
    const advice = adviseOn(summary, digest, tunable, {
      simulateWith: this.#simulateWith,
      onTrial: (index, of, { flag }) => showProgress(index + 1, of, `trying ${flag}`),
    });
    endProgress();
    const load = loadLine(summary);
    await writeReportPage(this.#file, runPage({ summary, digest, advice, load, answer: verdict(summary).split("\n") }));
  }
}
