import { readFileSync } from "node:fs";
import { Session } from "node:inspector/promises";
import { fileURLToPath } from "node:url";

/** Share of the samples that fell into each part of the program, largest first. */
export type TimeShares = readonly { readonly part: string; readonly fraction: number }[];

/** µs between two samples. */
const SAMPLE_US = 200;

/**
 * Runs `work` under V8's sampling profiler.
 * @returns the shares of wall time by folder of src/core, the rest by what it is
 */
export async function whereTimeGoes(work: () => void): Promise<TimeShares> {
  const session = new Session();
  session.connect();
  await session.post("Profiler.enable");
  await session.post("Profiler.setSamplingInterval", { interval: SAMPLE_US });
  await session.post("Profiler.start");
  work();
  const { profile } = await session.post("Profiler.stop");
  session.disconnect();
  const partOf = new Map(profile.nodes.map(({ id, callFrame }) => [id, partOfFrame(callFrame)]));
  const counts = new Map<string, number>();
  for (const id of profile.samples ?? []) {
    const part = partOf.get(id) ?? OTHER;
    counts.set(part, (counts.get(part) ?? 0) + 1);
  }
  const total = profile.samples?.length ?? 0;
  return [...counts]
    .map(([part, count]) => ({ part, fraction: count / total }))
    .sort((a, b) => b.fraction - a.fraction);
}

const OTHER = "Node and others";

/** This file once it is built: a bundle that says above each module which file it was. */
const BUNDLE = fileURLToPath(import.meta.url);
/** First line of each module in the bundle, ascending, with its file. */
const MODULES = readFileSync(BUNDLE, "utf8")
  .split("\n")
  .flatMap((text, line) => {
    const file = /^\/\/ (\S+)$/.exec(text)?.[1];
    return file === undefined ? [] : [{ line, file }];
  });

function partOfFrame({ url, lineNumber, functionName }: { url: string; lineNumber: number; functionName: string }) {
  if (functionName === "(garbage collector)") return "garbage collection";
  if (!url.endsWith("/bench.js")) return url.includes("js-sdsl") || url.includes("seedrandom") ? "packages" : OTHER;
  const { file } = MODULES.findLast(({ line }) => line <= lineNumber) ?? { file: "" };
  return /^src\/core\/([^/]+)\//.exec(file)?.[1] ?? OTHER;
}
