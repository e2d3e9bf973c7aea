import type { Argv } from "yargs";
import type { ReportPage } from "../report/reportPage.js";
import type { Arguments } from "./deploymentOptions.js";

/** Adds `--report`. */
export function addReportOption<T>(command: Argv<T>, shows: string): Argv<T> {
  return command.option("report", {
    type: "string",
    requiresArg: true,
    group: "Output:",
    describe: `HTML file to look at in a browser, one file without a network: ${shows}`,
  }) as Argv<T>;
}

/** Where `--report` says, or null; a place that cannot be written is refused before the run, not after it. */
export async function reportFile(argv: Arguments): Promise<string | null> {
  if (argv.report === undefined) return null;
  const file = String(argv.report);
  const { requireWritableReport } = await import("../io/report/reportFile.js");
  requireWritableReport(file);
  return file;
}

/** Writes a page and says so. */
export async function writeReportPage(file: string, page: ReportPage): Promise<void> {
  const { writeReport } = await import("../io/report/reportFile.js");
  const bytes = writeReport(file, page);
  process.stderr.write(`wrote ${file} (${Math.ceil(bytes / 1000)} kB)\n`);
}
