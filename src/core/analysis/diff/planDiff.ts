import { type ConfigDifference, configDifferences } from "../../config/compareConfigs.js";
import { ROOFSERVE_VERSION } from "../../engine/version.js";
import { sloName } from "../../metrics/slo.js";
import type { PlanResult } from "../plan/planResult.js";
import type { FeasiblePlan, Plan } from "../plan/searchPlan.js";
import { type DiffSide, versionNotes } from "./diffSide.js";
import { type Change, changeOf } from "./metricChange.js";

/** One side of a comparison of plans. */
export interface ComparedPlan {
  /** What the user calls it. */
  readonly name: string;
  readonly plan: Pick<
    PlanResult,
    "version" | "config" | "slo" | "targetRequestsPerS" | "seeds" | "best" | "plans" | "prices"
  >;
}

/** Numbers of a server that are compared; null where it holds the SLO at no load. */
const NUMBERS = ["highestRatePerS", "replicas", "gpus", "usdPerHour", "usdPerMOutputTokens"] as const;
type PlanNumber = (typeof NUMBERS)[number];

/** A server that both plans considered. */
export interface ServerChange {
  readonly label: string;
  /** Why it holds the SLO at no load; null where it does at some. */
  readonly reasonA: string | null;
  readonly reasonB: string | null;
  readonly numbers: Readonly<Record<PlanNumber, Change>>;
  /** Whether the seeds' intervals of its highest rate lie apart, so that it is no chance; null where a side has none. */
  readonly isApart: boolean | null;
}

/** The `roofserve.diff/1` contract, of two plans: keys are API. Every `change` is B's number minus A's. */
export interface PlanDiff {
  readonly schema: "roofserve.diff/1";
  readonly kind: "plan";
  /** roofserve's version. */
  readonly version: string;
  readonly a: DiffSide;
  readonly b: DiffSide;
  /** Whether no question, no server and no number differs. */
  readonly isIdentical: boolean;
  /** What was asked: the config that all servers share, SLO, target, seeds and prices. */
  readonly question: readonly ConfigDifference[];
  /** Label of the plan to take on each side; null where none holds the SLO. */
  readonly bestA: string | null;
  readonly bestB: string | null;
  /** Servers that both considered, in the order of B, best first. */
  readonly servers: readonly ServerChange[];
  /** Labels of those that only one considered. */
  readonly onlyA: readonly string[];
  readonly onlyB: readonly string[];
  readonly notes: readonly string[];
}

/** Compares two plans server by server: those of the same label. */
export function planDiff(a: ComparedPlan, b: ComparedPlan): PlanDiff {
  const [ofA, ofB] = [byLabel(a), byLabel(b)];
  const servers = [...ofB].flatMap(([label, plan]) => {
    const before = ofA.get(label);
    return before === undefined ? [] : [serverChange(before, plan)];
  });
  const missing = (from: ReadonlyMap<string, Plan>, other: ReadonlyMap<string, Plan>) =>
    [...from.keys()].filter((label) => !other.has(label));
  const [onlyA, onlyB] = [missing(ofA, ofB), missing(ofB, ofA)];
  const question = [...configDifferences(questionOf(a), questionOf(b)), ...priceDifferences(a, b)];
  const isSame = servers.every(
    ({ reasonA, reasonB, numbers }) =>
      reasonA === reasonB && Object.values(numbers).every((number) => number.a === number.b),
  );
  const sides = { a: { name: a.name, version: a.plan.version }, b: { name: b.name, version: b.plan.version } };
  return {
    schema: "roofserve.diff/1",
    kind: "plan",
    version: ROOFSERVE_VERSION,
    ...sides,
    isIdentical: question.length === 0 && onlyA.length + onlyB.length === 0 && isSame,
    question,
    bestA: a.plan.best,
    bestB: b.plan.best,
    servers,
    onlyA,
    onlyB,
    notes: versionNotes(sides.a, sides.b),
  };
}

function byLabel({ plan }: ComparedPlan): Map<string, Plan> {
  return new Map(plan.plans.map((one) => [one.label, one]));
}

/** What was asked, by name, so that a limit or a price that differs is a line of its own. */
function questionOf({ plan: { config, slo, targetRequestsPerS, seeds } }: ComparedPlan): object {
  const limitsMs = Object.fromEntries(slo.limits.map((limit) => [sloName(limit), limit.limitMs]));
  return { ...config, sloMs: limitsMs, goodputFraction: slo.goodputFraction, targetRequestsPerS, seeds };
}

/** A GPU that one side alone considered has no other price. */
function priceDifferences(a: ComparedPlan, b: ComparedPlan): ConfigDifference[] {
  const prices = ({ plan }: ComparedPlan) =>
    Object.fromEntries(plan.prices.map((price) => [price.gpu, price.usdPerGpuHour]));
  return configDifferences(prices(a), prices(b), "usdPerGpuHour").filter(
    ({ before, after }) => before !== undefined && after !== undefined,
  );
}

function serverChange(a: Plan, b: Plan): ServerChange {
  const numberOf = (plan: Plan, name: PlanNumber) => (plan.isFeasible ? plan[name] : null);
  const numbers = NUMBERS.map((name) => [name, changeOf(numberOf(a, name), numberOf(b, name))] as const);
  return {
    label: a.label,
    reasonA: a.isFeasible ? null : a.reason,
    reasonB: b.isFeasible ? null : b.reason,
    numbers: Object.fromEntries(numbers) as ServerChange["numbers"],
    isApart: a.isFeasible && b.isFeasible ? isApart(a, b) : null,
  };
}

function isApart({ rateInterval: x }: FeasiblePlan, { rateInterval: y }: FeasiblePlan): boolean | null {
  return x === null || y === null ? null : x.high < y.low || y.high < x.low;
}
