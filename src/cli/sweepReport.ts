import type { SweepResult } from "../core/analysis/sweep/sweepResult.js";
import type { Slo } from "../core/metrics/slo.js";
import { sweepPage } from "../io/report/sweepPage.js";
import type { Arguments } from "./deploymentOptions.js";
import { reportFile, writeReportPage } from "./reportOption.js";
import { sweptPoints, sweptRequests, sweptServerAndWorkload } from "./sweepWords.js";

/** The `--report` of a sweep. */
export class SweepReport {
  readonly #file: string;
  readonly #slo: Slo | null;

  private constructor(file: string, slo: Slo | null) {
    this.#file = file;
    this.#slo = slo;
  }

  /**
   * null where none is asked for.
   * @param slo limits to draw
   * @throws DataFileError where the file cannot be written
   */
  static async asked(argv: Arguments, slo: Slo | null): Promise<SweepReport | null> {
    const file = await reportFile(argv);
    return file === null ? null : new SweepReport(file, slo);
  }

  /** @param workload what the requests are called; null = nothing @throws DataFileError when the file cannot be written */
  async write(result: SweepResult, workload: string | null): Promise<void> {
    const words = {
      title: sweptServerAndWorkload(result, workload),
      subtitle: `${sweptPoints(result)}: ${sweptRequests(result)}`,
    };
    await writeReportPage(this.#file, sweepPage({ result, slo: this.#slo, ...words }));
  }
}
