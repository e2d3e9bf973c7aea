import type { Measurement } from "./measure.js";
import type { TimeShares } from "./whereTimeGoes.js";

/** What stands on the page beside the cases. */
export interface PageContext {
  readonly machine: string;
  /** The case whose time is taken apart, and how it came apart. */
  readonly profiled: string;
  readonly shares: TimeShares;
}

/** Parts of less than this are not listed. */
const LEAST_FRACTION = 0.01;

/** The page that records a run of the bench. @param what by case, its one line */
export function performancePage(
  measurements: readonly Measurement[],
  what: ReadonlyMap<string, string>,
  { machine, profiled, shares }: PageContext,
): string {
  const rows = measurements.map((one) => [
    one.case,
    `${digits(one.medianMs)} (${digits(one.minMs)}–${digits(one.maxMs)})`,
    one.numRequests === null ? "" : one.numRequests.toLocaleString("en-US"),
    thousands(one.requestsPerS),
    thousands(one.stepsPerS),
    one.ratio === null ? "" : `${digits(one.ratio)} ×`,
    remark(one),
  ]);
  const meanings = measurements.map((one) => `- \`${one.case}\`: ${what.get(one.case) ?? ""}.`);
  return `# How fast it is

Written by \`npm run bench -- --write\` on ${machine}.
Wall times: the median of the repetitions after a warm-up, and from the least to the largest. The reference engine, which
works request by request and block by block, is timed in turn with the product's, so that their ratio does not
depend on what else the machine does. Times of processes start with Node's own.

${markdownTable(["case", "ms", "requests", "requests/s", "steps/s", "reference engine takes", "remarks"], rows)}

${meanings.join("\n")}

## Where the time goes

By folder of \`src/core\`, as \`npm run bench -- --where ${profiled}\` samples it; what a function inlines counts as its own
folder's.

${markdownTable(["part", "% of the time"], shareRows(shares))}

No part is most of it. A simulated chat request is about five engine steps, each priced over again because contexts have
grown, one prompt to admit, and its latencies to sort three times; a step that only decodes costs less than half a microsecond on a
quiet machine of this kind, near the two logarithms, the exponential and the root that its attention price takes.
`;
}

function remark({ exponent, costs, bareNodeMs, peakMemoryMiB, note }: Measurement): string {
  const parts = [
    exponent === null
      ? ""
      : `cost ~ size^${exponent.toFixed(3)}: ${Object.entries(costs ?? {})
          .map(([size, cost]) => `${size} → ${digits(cost)}`)
          .join(", ")}`,
    bareNodeMs === null ? "" : `an empty Node process: ${digits(bareNodeMs)} ms`,
    peakMemoryMiB === null ? "" : `memory at its peak: ${digits(peakMemoryMiB)} MiB`,
    note ?? "",
  ];
  return parts.filter((part) => part !== "").join("; ");
}

function shareRows(shares: TimeShares): string[][] {
  return shares
    .filter(({ fraction }) => fraction >= LEAST_FRACTION)
    .map(({ part, fraction }) => [part, (100 * fraction).toFixed(0)]);
}

/** Aligned as the formatter of the project wants it. */
function markdownTable(titles: readonly string[], rows: readonly (readonly string[])[]): string {
  const widths = titles.map((title, i) => rows.reduce((width, row) => Math.max(width, row[i]!.length), title.length));
  const line = (cells: readonly string[]) => `| ${cells.map((cell, i) => cell.padEnd(widths[i]!)).join(" | ")} |`;
  return [titles, widths.map((width) => "-".repeat(width)), ...rows].map(line).join("\n");
}

function thousands(value: number | null): string {
  return value === null ? "" : Math.round(value).toLocaleString("en-US");
}

/** Three digits. */
function digits(value: number): string {
  return value >= 100 ? value.toFixed(0) : String(Number(value.toPrecision(3)));
}
