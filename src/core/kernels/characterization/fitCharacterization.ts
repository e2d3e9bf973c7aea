import { DataFileError } from "../../errors/simulationError.js";
import type { GpuSpec } from "../../hardware/gpuSpec.js";
import { US_PER_S } from "../../units/units.js";
import { median } from "../fit/median.js";
import { robustLine } from "../fit/robustLine.js";
import { STREAMED_L2_SIZES } from "../tables/tableIndex.js";
import {
  ACCESS_PATTERNS,
  type AccessPattern,
  type AchievedBandwidth,
  CHARACTERIZATION_SCHEMA_ID,
  type Characterization,
} from "./characterization.js";
import { fitLaunchGap, type LaunchGapRow } from "./fitLaunchGap.js";

/** One timed run that moved memory. */
export interface BandwidthRow {
  /** Line of the file, from 1. */
  readonly row: number;
  readonly pattern: AccessPattern;
  /** Bytes moved by the run, > 0. */
  readonly bytes: number;
  /** Contiguous bytes of a random block; null for sequential reads. */
  readonly blockBytes: number | null;
  /** Distinct bytes that repeated runs cycle through, ≥ `bytes`. */
  readonly workingSetBytes: number;
  readonly latencyUs: number;
}

/** All rows of a GPU's micro-benchmarks. */
export interface CharacterizationRows {
  readonly bandwidth: readonly BandwidthRow[];
  readonly launchGap: readonly LaunchGapRow[];
}

/** What a fit needs to know besides the rows. */
export interface CharacterizationOptions {
  /** Named in errors. */
  readonly file: string;
  readonly gpu: GpuSpec;
  /** Where the measurements come from. */
  readonly source: string;
  /** Contiguous bytes of the KV blocks to be served; of several measured block sizes the nearest is taken. */
  readonly kvBlockBytes: number;
}

/** One access pattern at one block size; of a pattern's sizes one goes into the characterisation. */
export interface PatternFit {
  readonly pattern: AccessPattern;
  readonly bandwidth: AchievedBandwidth;
  readonly isUsed: boolean;
}

/** Something the rows could not tell, and why. */
export interface NotMeasured {
  readonly what: AccessPattern | "launch gap";
  readonly reason: string;
}

export interface CharacterizationFit {
  readonly characterization: Characterization;
  readonly patterns: readonly PatternFit[];
  readonly notMeasured: readonly NotMeasured[];
}

/** Latencies this little below the datasheet's are its rounding. */
const DATASHEET_TOLERANCE = 1.005;
/** With fewer different sizes one bad row decides. */
const LEAST_SIZES = 3;

/**
 * Fits what the micro-benchmarks of one GPU say. The bandwidth of a pattern is the slope of latency over bytes, so that
 * launches do not count; rows whose working set may lie in the L2 cache are left out.
 * @throws DataFileError naming a row faster than the datasheet, or when nothing can be fitted
 */
export function fitCharacterization(rows: CharacterizationRows, options: CharacterizationOptions): CharacterizationFit {
  const { file, gpu, source, kvBlockBytes } = options;
  const notMeasured: NotMeasured[] = [];
  const patterns = ACCESS_PATTERNS.flatMap((pattern) => {
    const ofPattern = rows.bandwidth.filter((row) => row.pattern === pattern);
    const fits = fitPattern(ofPattern, pattern, options, notMeasured);
    const used = nearestBlock(fits, kvBlockBytes);
    return fits.map((bandwidth): PatternFit => ({ pattern, bandwidth, isUsed: bandwidth === used }));
  });
  const gap = fitLaunchGap(rows.launchGap);
  if ("reason" in gap) notMeasured.push({ what: "launch gap", reason: gap.reason });
  if (patterns.length === 0 && "reason" in gap) {
    const reasons = notMeasured.map(({ what, reason }) => `${what}: ${reason}`);
    throw new DataFileError({ file }, `nothing in it can be used; ${reasons.join("; ")}`);
  }
  const used = (pattern: AccessPattern): AchievedBandwidth | null =>
    patterns.find((fit) => fit.pattern === pattern && fit.isUsed)?.bandwidth ?? null;
  const characterization: Characterization = {
    schema: CHARACTERIZATION_SCHEMA_ID,
    gpu: gpu.id,
    source,
    datasheetBytesPerS: gpu.memory.bandwidthBytesPerS,
    sequential: used("sequential"),
    scattered: used("scattered"),
    mixed: used("mixed"),
    launchGap: "reason" in gap ? null : gap,
  };
  return { characterization, patterns, notMeasured };
}

/** One fit per block size, ascending; says in `notMeasured` why there is none. */
function fitPattern(
  rows: readonly BandwidthRow[],
  pattern: AccessPattern,
  options: CharacterizationOptions,
  notMeasured: NotMeasured[],
): AchievedBandwidth[] {
  const say = (reason: string): void => {
    notMeasured.push({ what: pattern, reason });
  };
  if (rows.length === 0) say("no rows");
  const blockSizes = [...new Set(rows.map(({ blockBytes }) => blockBytes))].sort((a, b) => (a ?? 0) - (b ?? 0));
  return blockSizes.flatMap((blockBytes) => {
    const ofSize = rows.filter((row) => row.blockBytes === blockBytes);
    const fit = fitBandwidth(ofSize, options);
    if ("bytesPerS" in fit) return [fit];
    say(blockBytes === null ? fit.reason : `blocks of ${blockBytes} bytes: ${fit.reason}`);
    return [];
  });
}

/** The bandwidth of rows of one pattern and block size, or why there is none. */
function fitBandwidth(
  rows: readonly BandwidthRow[],
  options: CharacterizationOptions,
): AchievedBandwidth | { readonly reason: string } {
  const { bandwidthBytesPerS, l2Bytes } = options.gpu.memory;
  const leastBytes = STREAMED_L2_SIZES * l2Bytes;
  const streamed = rows.filter(({ workingSetBytes }) => workingSetBytes > leastBytes);
  const numCachedRows = rows.length - streamed.length;
  requirePossible(streamed, options);
  const line = robustLine(streamed.map(({ bytes, latencyUs }) => ({ x: bytes, y: latencyUs })));
  const numSizes = new Set(streamed.map(({ bytes }) => bytes)).size;
  if (line === null || numSizes < LEAST_SIZES) {
    const cached = numCachedRows === 0 ? "" : `${numCachedRows} rows may have run from the L2 cache; `;
    const wanted =
      `it takes rows with ${LEAST_SIZES} different bytes or more, the largest at least twice the smallest, each with ` +
      `working_set_bytes (bytes, where empty) above ${leastBytes}, ${STREAMED_L2_SIZES} times the L2 cache of ${options.gpu.id}`;
    return { reason: `${cached}${wanted}; found ${numSizes}` };
  }
  const slopeFraction = US_PER_S / (line.slope * bandwidthBytesPerS);
  if (!(slopeFraction > 0 && slopeFraction <= DATASHEET_TOLERANCE)) {
    return { reason: "latency grows less with bytes than memory allows; do all runs read what their rows say?" };
  }
  const fraction = Math.min(1, slopeFraction);
  const distances = streamed.map(
    ({ bytes, latencyUs }) => Math.abs(latencyUs - line.intercept - line.slope * bytes) / latencyUs,
  );
  return {
    bytesPerS: fraction * bandwidthBytesPerS,
    fraction,
    blockBytes: rows[0]!.blockBytes,
    launchUs: line.intercept,
    spreadFraction: median(distances),
    numRows: streamed.length,
    numCachedRows,
  };
}

/** @throws DataFileError naming the worst row that memory cannot have been that fast in */
function requirePossible(rows: readonly BandwidthRow[], { file, gpu }: CharacterizationOptions): void {
  const bytesPerUs = gpu.memory.bandwidthBytesPerS / US_PER_S;
  const excess = ({ bytes, latencyUs }: BandwidthRow): number => bytes / latencyUs / bytesPerUs;
  const worst = rows.reduce<BandwidthRow | null>((a, b) => (a === null || excess(b) > excess(a) ? b : a), null);
  if (worst === null || excess(worst) <= DATASHEET_TOLERANCE) return;
  const rate = `${worst.bytes} bytes in ${worst.latencyUs} µs are ${excess(worst).toFixed(2)} times`;
  const problem =
    `${rate} what the memory of ${gpu.id} can deliver; ` +
    "count the bytes again, make runs cycle through more than the caches hold (working_set_bytes), or correct --gpu";
  throw new DataFileError({ file, row: worst.row, column: "latency_us" }, problem);
}

/** The fit whose blocks are nearest in size to the KV cache's; null without fits. */
function nearestBlock(fits: readonly AchievedBandwidth[], kvBlockBytes: number): AchievedBandwidth | null {
  const distance = ({ blockBytes }: AchievedBandwidth) =>
    Math.abs(Math.log((blockBytes ?? kvBlockBytes) / kvBlockBytes));
  return fits.reduce<AchievedBandwidth | null>((a, b) => (a === null || distance(b) < distance(a) ? b : a), null);
}
