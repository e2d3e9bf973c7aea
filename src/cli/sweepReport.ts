import type { SweepResult } from "../core/analysis/sweep/sweepResult.js";
import { ConfigError } from "../core/errors/simulationError.js";
import { parseSlo, type Slo } from "../core/metrics/slo.js";
import { sweepPage } from "../io/report/sweepPage.js";
import type { Arguments } from "./deploymentOptions.js";
import { reportFile, writeReportPage } from "./reportOption.js";
import { sweptPoints, sweptServer } from "./sweepTable.js";

/** The `--report` of a sweep, and the limits of `--slo` in it. */
export class SweepReport {
  readonly #file: string;
  readonly #slo: Slo | null;

  private constructor(file: string, slo: Slo | null) {
    this.#file = file;
    this.#slo = slo;
  }

  /** @throws ConfigError where its options make no sense, DataFileError where the file cannot be written */
  static async asked(argv: Arguments): Promise<SweepReport> {
    const slo = argv.slo === undefined ? null : sweptSlo(String(argv.slo));
    const file = await reportFile(argv);
    if (file === null) {
      const allowed = "is drawn in a report: add --report FILE.html, or ask roofserve plan for the rate that keeps it";
      throw new ConfigError([{ path: "--slo", received: JSON.stringify(argv.slo), allowed }]);
    }
    return new SweepReport(file, slo);
  }

  /** @throws DataFileError when the file cannot be written */
  async write(result: SweepResult): Promise<void> {
    const words = { title: sweptServer(result), subtitle: sweptPoints(result) };
    await writeReportPage(this.#file, sweepPage({ result, slo: this.#slo, ...words }));
  }
}

/** @throws ConfigError for limits on each request, which a sweep does not keep */
function sweptSlo(text: string): Slo {
  const slo = parseSlo(text);
  if (slo.limits.every(({ statistic }) => statistic !== null)) return slo;
  const allowed = "must limit statistics in a sweep, as in p99 ttft<=500ms: it does not keep every request";
  throw new ConfigError([{ path: "--slo", received: JSON.stringify(text), allowed }]);
}
