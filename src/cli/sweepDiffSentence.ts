import type { SeedMetricChange } from "../core/analysis/diff/seedChange.js";
import type { PointChange, SweepDiff } from "../core/analysis/diff/sweepDiff.js";
import { signed } from "./signedNumber.js";
import { printNumber } from "./textTable.js";

/** A change below this is none to speak of, however sure: it prints as 0.0 %. */
const LEAST_RELATIVE = 0.0005;

/** What became of the mean end-to-end latency, at how many points, and how far that is more than chance. */
export function sweepDiffSentence(diff: SweepDiff): string {
  const keys = configWords(diff);
  if (diff.points.length === 0) return `A and B have no point in common; ${keys}.`;
  const isChance = diff.seeds.method === null && !diff.seeds.isSameRequests;
  return `${[isChance ? rangeWords(diff) : countWords(diff), ...seedWords(diff), keys].join("; ")}.`;
}

/** A number of a point. */
export function metricOf({ metrics }: PointChange, name: string): SeedMetricChange {
  return metrics.find((metric) => metric.name === name) as SeedMetricChange;
}

/** Whether a change is more than chance, and enough to see. */
export function isClear({ verdict, relative }: SeedMetricChange): boolean {
  return verdict === "change" && Math.abs(relative ?? 0) >= LEAST_RELATIVE;
}

/** `−0.9`, of a relative change. */
export function signedPercent(relative: number): string {
  return signed(100 * relative, (percent) => printNumber(percent));
}

/** Where nothing tells a change from chance there is no faster and no slower. */
function rangeWords({ points }: SweepDiff): string {
  const changes = points.flatMap((point) => metricOf(point, "e2eMs.mean").relative ?? []);
  if (changes.length === 0) return "The mean end-to-end latency is not known on both sides";
  const [low, high] = [signedPercent(Math.min(...changes)), signedPercent(Math.max(...changes))];
  const range = low === high ? `by ${low} %` : `by ${low} to ${high} %`;
  return `The mean end-to-end latency differs ${range} at the ${pointsWord(points.length)} in both`;
}

type Way = "faster" | "slower" | "same" | "unclear";

function wayOf({ change, relative, verdict }: SeedMetricChange, { method }: SweepDiff["seeds"]): Way {
  if (verdict === "none") return "same";
  if (method !== null && verdict !== "change") return "unclear";
  if (change === null || relative === null) return "unclear";
  if (Math.abs(relative) < LEAST_RELATIVE) return "same";
  return change < 0 ? "faster" : "slower";
}

function countWords({ points, seeds }: SweepDiff): string {
  const ways = points.map((point) => {
    const metric = metricOf(point, "e2eMs.mean");
    return { label: point.label, relative: metric.relative ?? 0, way: wayOf(metric, seeds) };
  });
  const moved = ways.filter(({ way }) => way === "faster" || way === "slower");
  const said = (way: Way, words: string) => {
    const count = ways.filter((one) => one.way === way).length;
    return count === 0 ? [] : [`${words} at ${count}`];
  };
  const verbs = [...said("faster", "faster"), ...said("slower", "slower")];
  const same = said("same", verbs.length === 0 ? "B takes as long as A end to end" : "the same");
  const counts = [
    ...(verbs.length === 0 ? [] : [`B is ${verbs.join(" and ").replace(" at", " end to end at")}`]),
    ...same,
    ...said("unclear", verbs.length === 0 && same.length === 0 ? "no clear change end to end" : "no clear change"),
  ];
  const most = moved.reduce<(typeof moved)[number] | null>(
    (x, y) => (x !== null && Math.abs(x.relative) >= Math.abs(y.relative) ? x : y),
    null,
  );
  const peak = most === null ? "" : `, most at ${most.label} (${signedPercent(most.relative)} % of latency)`;
  return `Of ${pointsWord(points.length)} in both, ${counts.join(", ")}${peak}`;
}

function pointsWord(count: number): string {
  return `${count} ${count === 1 ? "point" : "points"}`;
}

/** How far the seeds tell. */
function seedWords({ seeds: { a, b, isSameRequests, method }, config }: SweepDiff): string[] {
  const isOtherSeeds = config.some(({ path }) => path === "seeds");
  const other = isOtherSeeds
    ? ["the seeds differ, so the requests do"]
    : isSameRequests
      ? []
      : ["the workloads differ"];
  if (method !== null) return other;
  if (!isSameRequests) {
    const [side, few] = a.length === 1 ? ["A", a] : ["B", b];
    const one = a.length === b.length ? "one seed a side does" : `the one seed of ${side} (${few[0]}) does`;
    return [...other, `${one} not tell a change from chance: give both sweeps the same seeds, several with --seeds 5`];
  }
  return [
    `both were sent the same requests (seed ${a[0]}), so the config makes every change`,
    "whether other requests would show it, one seed does not tell (--seeds 5 in both sweeps does)",
  ];
}

function configWords({ config }: SweepDiff): string {
  const count = config.filter(({ path }) => path !== "seeds").length;
  if (count > 0) return `${count} config ${count === 1 ? "key differs" : "keys differ"}`;
  return `no ${config.length > 0 ? "other " : ""}config key differs`;
}
