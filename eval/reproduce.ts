import { spawnSync } from "node:child_process";
import { writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";

/**
 * Runs every command whose figures stand in `eval/README.md`, and writes that page: each table under the command that
 * prints it. The product must be built (`npm run build`).
 *
 *     npx tsx eval/reproduce.ts --ground-truth <folder with inference-perf/ and guidellm/>
 */
const { values } = parseArgs({ options: { "ground-truth": { type: "string" } } });
const groundTruth = values["ground-truth"];
if (groundTruth === undefined)
  throw new Error("--ground-truth: missing; give the folder with inference-perf/ and guidellm/");

const here = dirname(fileURLToPath(import.meta.url));
const runs = [`${groundTruth}/inference-perf`, `${groundTruth}/guidellm`];

interface Table {
  readonly title: string;
  /** What a reader should know before the figures. */
  readonly text: string;
  /** Arguments of `roofserve`. */
  readonly command: readonly string[];
  /** Lines of the output that are kept: those from the first that matches; all without it. */
  readonly from?: RegExp;
}

const TABLES: readonly Table[] = [
  {
    title: "Tier 0: nothing fitted on the run, every experiment",
    text:
      "One set of constants for all runs. They were chosen while looking at these very runs, so this is a fit, not a " +
      "forecast; [calibration](calibration/README.md) from a neutral start shows what is left when the run took no part. " +
      "Errors are of a number of the whole run (its mean, its median); the mean over requests of each one's own |error|, " +
      "which `evaluate` prints per run, is another thing and larger for TTFT.",
    command: ["evaluate", ...runs],
    from: /^error, %/,
  },
  {
    title: "Baselines",
    text: "The additive model beside the two models it grew out of.",
    command: ["evaluate", ...runs, "--compare"],
  },
  {
    title: "Tier 1: calibrated on other runs",
    text: "From the built-in constants.",
    command: ["calibrate", "--cross-validate", ...runs],
  },
];

const INTRODUCTION = `# How accurate, and how we know

Written by \`npx tsx eval/reproduce.ts --ground-truth <folder>\`; each table stands under the command that prints it.
Ground truth: six inference-perf runs (vLLM 0.15, asynchronous) and five GuideLLM benchmarks (vLLM 0.11, synchronous), all
on H100. The ablation by hypothesis has a page of its own, with pictures: [hypotheses](hypotheses/README.md), written by
\`roofserve hypotheses <the same folders> --out eval/hypotheses\`.

Other studies: [calibration](calibration/README.md) (what one-run calibration reaches), [uncertainty](uncertainty/README.md) (where the
widths come from), [kernels](kernels/README.md) (fits of kernel efficiencies), [transfer](transfer/README.md) (GPUs without
measurements), [prefill](prefill/README.md) (prompts computed alone), [regime](regime/README.md) (saturation),
[characterize](characterize/README.md) (tier 2: bandwidth by access pattern), [plan](plan/README.md) (whether a planned rate holds).`;

// Written table by table: what is finished stays when a later command fails.
const pages: string[] = [];
for (const table of TABLES) {
  pages.push(page(table));
  writeFileSync(join(here, "README.md"), `${INTRODUCTION}\n\n${pages.join("\n\n")}\n`);
}

function page({ title, text, command, from }: Table): string {
  process.stderr.write(`roofserve ${command.join(" ")}\n`);
  const { stdout, stderr, status } = spawnSync(
    process.execPath,
    [join(here, "..", "dist", "cli", "main.js"), ...command],
    {
      encoding: "utf8",
      maxBuffer: 1 << 28,
    },
  );
  if (status !== 0) throw new Error(`roofserve ${command[0]} failed:\n${stderr}`);
  const lines = stdout.split("\n");
  const start = from === undefined ? 0 : lines.findIndex((line) => from.test(line));
  if (start < 0) throw new Error(`roofserve ${command[0]}: its output no longer has the table "${title}"`);
  const table = lines.slice(start).join("\n").trimEnd();
  return `## ${title}\n\n${text}\n\n    roofserve ${command.join(" ")}\n\n\`\`\`\n${table}\n\`\`\``;
}
