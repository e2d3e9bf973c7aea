import { writeFileSync } from "node:fs";
import { cpus } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { simulateStreaming } from "../../src/core/engine/simulate.js";
import { PACKAGE_ROOT } from "../../src/io/packageRoot.js";
import { type BenchCase, runOn } from "./benchCase.js";
import { benchCases } from "./cases.js";
import { type Measurement, measure } from "./measure.js";
import { performancePage } from "./performancePage.js";
import { type TimeShares, whereTimeGoes } from "./whereTimeGoes.js";

const HELP = `npm run bench -- [options]

Measures how fast roofserve is, case by case: one JSON line each on stdout, wall times in ms.
Build first (npm run build): two cases start the built command line.

  --case NAME     only this case; may come several times. ten-million runs only so: it takes minutes
  --repeats N     repetitions after the warm-up [default: the case's own]
  --shared DIR    folder with traces/ and ground_truth/ [default: ../shared]
  --where NAME    where the time of a simulation goes, by folder of src/core, instead of how long it takes
  --list          say what the cases are
  --write         write the table of eval/performance/README.md too, with this machine's name
  --help          this text

A case is repeated until its median can be told from its spread; compare medians of one run on one machine.
`;

/** The case whose profile stands on the page. */
const PROFILED_CASE = "mixed";
/** Simulations under the profiler. */
const NUM_PROFILED = 20;

const { values } = parseArgs({
  options: {
    case: { type: "string", multiple: true },
    repeats: { type: "string" },
    shared: { type: "string", default: "../shared" },
    where: { type: "string" },
    list: { type: "boolean" },
    write: { type: "boolean" },
    help: { type: "boolean" },
  },
});

if (values.help === true) process.stdout.write(HELP);
else await runBench();

async function runBench(): Promise<void> {
  const all = benchCases(values.shared);
  const unknown = (values.case ?? []).filter((name) => !all.some((one) => one.name === name));
  if (unknown.length > 0)
    throw new Error(`--case ${unknown.join(", ")}: must be of ${all.map(({ name }) => name).join(", ")}`);
  const isChosen = ({ name, onlyWhenNamed }: BenchCase) => values.case?.includes(name) ?? onlyWhenNamed !== true;
  if (values.list === true) {
    for (const { name, what } of all) process.stdout.write(`${name.padEnd(16)} ${what}\n`);
    return;
  }
  if (values.where !== undefined) {
    process.stdout.write(`${JSON.stringify(await sharesOf(all, values.where))}\n`);
    return;
  }
  const measured: Measurement[] = [];
  for (const one of all.filter(isChosen)) {
    process.stderr.write(`${one.name}: ${one.what}\n`);
    const result = await measure(one, repeatsOf(one.repeats));
    if (typeof result === "string") process.stderr.write(`${one.name}: ${result}\n`);
    else {
      measured.push(result);
      process.stdout.write(`${JSON.stringify(rounded(result))}\n`);
    }
  }
  if (values.write === true) {
    const file = join(PACKAGE_ROOT, "eval", "performance", "README.md");
    const what = new Map(all.map(({ name, what }) => [name, what]));
    const shares = await sharesOf(all, PROFILED_CASE);
    writeFileSync(file, performancePage(measured, what, { machine: machineName(), profiled: PROFILED_CASE, shares }));
    process.stderr.write(`wrote ${file}\n`);
  }
}

/** @throws Error for a case that is no simulation */
async function sharesOf(all: readonly BenchCase[], name: string): Promise<TimeShares> {
  const one = all.find((benchCase) => benchCase.name === name);
  if (one?.kind !== "simulation") {
    const known = all.filter(({ kind }) => kind === "simulation").map((benchCase) => benchCase.name);
    throw new Error(`--where ${name}: must be of ${known.join(", ")}`);
  }
  const prepared = await one.prepare();
  const run = (times: number) => {
    for (let i = 0; i < times; i++) runOn(simulateStreaming, prepared);
  };
  // Compiled first: a profile of the interpreter would say nothing of a long run.
  run(NUM_PROFILED / 4);
  return whereTimeGoes(() => run(NUM_PROFILED));
}

function repeatsOf(ofCase: number): number {
  if (values.repeats === undefined) return ofCase;
  const repeats = Number(values.repeats);
  if (!Number.isInteger(repeats) || repeats < 1)
    throw new Error(`--repeats: got ${values.repeats}; must be an integer ≥ 1`);
  return repeats;
}

function machineName(): string {
  const [first] = cpus();
  return `${cpus().length} cores of ${first?.model.trim() ?? "an unknown processor"}, Node ${process.versions.node}`;
}

/** Four digits are more than a time repeats to. */
function rounded(measurement: Measurement): object {
  const round = (value: unknown): unknown => (typeof value === "number" ? Number(value.toPrecision(4)) : value);
  const { costs, numRequests } = measurement;
  const entries = Object.entries(measurement).map(([key, value]) => [key, round(value)]);
  const roundedCosts =
    costs === null ? null : Object.fromEntries(Object.entries(costs).map(([size, cost]) => [size, round(cost)]));
  return { ...Object.fromEntries(entries), numRequests, costs: roundedCosts };
}
