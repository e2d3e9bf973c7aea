import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Browser, Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { ensureBuilt } from "../cli/builtCli.js";
import { callCli } from "../cli/cliCall.js";
import { temporaryFolder } from "../reference/temporaryFile.js";
import { experimentFolder } from "../unit/io/inferencePerf/inferencePerfFolder.js";
import { findChromium, openFile, startBrowser } from "./browser.js";

const chromium = findChromium();
if (chromium === null) {
  process.stderr.write("test/report: no chromium on the path (or ROOFSERVE_CHROMIUM), so reports are not looked at\n");
}

const { folder } = temporaryFolder();
const RUN = [
  "run",
  "--max-requests",
  "80",
  "--rate",
  "25",
  "--num-gpu-blocks-override",
  "2500",
  "--max-num-seqs",
  "40",
];
const SMALL = ["--max-requests", "60", "--data", "prompt_tokens=100,output_tokens=20", "--max-model-len", "2048"];
const SWEEP = [
  "sweep",
  ...SMALL,
  "--vary",
  "maxNumSeqs=1,8",
  "--rate",
  "2:20:4",
  "--seeds",
  "2",
  "--slo",
  "p99 ttft<=50ms",
];
const PLAN = [
  ...["plan", ...SMALL, "--slo", "p90 ttft<=200ms, p50 itl<=100ms, ttft<=500ms, goodput>=90%", "--seeds", "2"],
  ...["--vary", "gpu=H100,L40S,L4", "--tp", "1"],
];
const guidellm = join(folder, "guidellm");
const SERVERS = ["--vary", "maxNumSeqs=1,2,3,4,5,6,7,8,9", "--rate", "8"];
const LOOPS = ["--vary", "numGpuBlocksOverride=2,2500", "--profile", "concurrent", "--rate", "1,4,16"];
const PAGES = {
  "a busy run": RUN,
  "a run of one request": ["run", "--max-requests", "1"],
  "an evaluation": ["evaluate", experimentFolder(), "--model", "meta-llama/Llama-2-7b-hf"],
  "a sweep": SWEEP,
  "a sweep of more servers than colours": ["sweep", ...SMALL, ...SERVERS],
  "a sweep of closed loops, half of which cannot be": ["sweep", ...SMALL, ...LOOPS],
  "a GuideLLM sweep": ["sweep", ...SMALL, "--sweep-size", "4", "--out", guidellm],
  "a measured sweep": ["sweep", join(guidellm, "guidellm.json")],
  "a plan": [...PLAN, "--target-rate", "50"],
} as const satisfies Readonly<Record<string, readonly string[]>>;
type PageName = keyof typeof PAGES;

const made = new Map<PageName, string>();

/** The report of a page, made when it is first asked for. */
async function reportOf(name: PageName): Promise<string> {
  const known = made.get(name);
  if (known !== undefined) return known;
  if (name === "a measured sweep") await reportOf("a GuideLLM sweep");
  const file = join(folder, `${made.size}.html`);
  const { exitCode, stderr } = await callCli(...PAGES[name], "--report", file);
  expect(exitCode, stderr).toBe(0);
  made.set(name, file);
  return file;
}

/** How many marks each plot that is shown has. */
const NUM_MARKS = `[...document.querySelectorAll(".plot-canvas")]
  .filter((canvas) => canvas.clientWidth > 0)
  .map((canvas) => canvas.querySelectorAll("svg g[aria-label]:not([aria-label*=axis], [aria-label*=grid]) :is(path[d], rect, circle)").length)`;

/** Plots that wait to be seen. */
const NUM_UNDRAWN = `document.querySelectorAll(".plot-canvas:not(:has(svg))").length`;

interface PlanData {
  readonly plans: readonly { readonly name: string; readonly isPareto: boolean }[];
}

/** The section of a plan's costs, as the page was given it. */
const PLAN_DATA = `JSON.parse(document.getElementById("report-data").textContent).sections.find(({ kind }) => kind === "plan-costs")`;

const SCROLL_WIDTH = "document.documentElement.scrollWidth";

/** What a pointer over the first plot of a section is told. */
async function tipAt(page: Page, id: string): Promise<string | null> {
  const canvas = page.locator(`#${id} .plot-canvas`).first();
  await canvas.scrollIntoViewIfNeeded();
  const { x, y, width, height } = (await canvas.boundingBox())!;
  const tip = canvas.locator("g[aria-label=tip] text");
  expect(await tip.count()).toBe(0);
  // Somewhere along the middle there is a mark near enough.
  for (const share of [0.5, 0.3, 0.7, 0.15, 0.85]) {
    await page.mouse.move(x + width * share, y + height / 2);
    await page.mouse.move(x + width * share + 3, y + height / 2);
    await page.waitForTimeout(50);
    if ((await tip.count()) > 0) return tip.first().textContent();
  }
  return null;
}

describe.skipIf(chromium === null)("a report in a browser", () => {
  let browser: Browser;

  beforeAll(async () => {
    ensureBuilt();
    browser = await startBrowser(chromium as string);
  });
  afterAll(async () => {
    await browser?.close();
  });

  describe.each(Object.keys(PAGES) as PageName[])("of %s", (name) => {
    let file: string;

    beforeAll(async () => {
      file = await reportOf(name);
    });

    test("draws every plot, without an error and without asking anyone for anything", async () => {
      const { page, problems, requests } = await openFile(browser, file);
      const numMarks = await page.evaluate<number[]>(NUM_MARKS);
      expect(numMarks.length).toBeGreaterThanOrEqual(3);
      for (const marks of numMarks) expect(marks).toBeGreaterThan(0);
      expect(await page.locator("main").textContent()).not.toMatch(/NaN|undefined|Infinity|\[object/);
      expect(problems).toEqual([]);
      expect(requests).toEqual([]);
      await page.close();
    });

    test.each(["light", "dark"] as const)("fits a narrow phone, %s", async (colorScheme) => {
      const { page, problems } = await openFile(browser, file, { width: 360, colorScheme });
      expect(await page.evaluate(SCROLL_WIDTH)).toBe(360);
      await page.evaluate(`for (const details of document.querySelectorAll("details")) details.open = true`);
      await expect.poll(() => page.evaluate(NUM_UNDRAWN)).toBe(0);
      expect(await page.evaluate(SCROLL_WIDTH)).toBe(360);
      expect(problems).toEqual([]);
      await page.close();
    });

    test("says everything to those who do not see it", async () => {
      const { page } = await openFile(browser, file);
      const levels = await page.evaluate<number[]>(
        `[...document.querySelectorAll("h1, h2, h3")].map(({ tagName }) => Number(tagName[1]))`,
      );
      expect(levels.filter((level) => level === 1)).toHaveLength(1);
      for (const [i, level] of levels.entries()) expect(level - (levels[i - 1] ?? 0)).toBeLessThanOrEqual(1);
      const labels = await page.evaluate<(string | null)[]>(
        `[...document.querySelectorAll(".plot-canvas > *")].map((plot) => plot.getAttribute("role") === "img" ? plot.getAttribute("aria-label") : null)`,
      );
      for (const label of labels) expect(label).toMatch(/\w{3}/);
      const figures = page.locator("figure");
      for (const figure of await figures.all()) {
        expect(await figure.locator("figcaption").textContent()).toMatch(/\d/);
        expect(await figure.locator("details table tbody tr").count()).toBeGreaterThan(0);
      }
      for (const link of await page.locator("nav a").all()) {
        expect(await page.locator((await link.getAttribute("href")) as string).count()).toBe(1);
      }
      await page.close();
    });
  });

  describe.each([
    ["a sweep", ["latency", "throughput", "memory", "distributions", "step"]],
    ["a plan", ["costs", "rates", "slo"]],
  ] as const)("of %s", (name, ids) => {
    let file: string;

    beforeAll(async () => {
      file = await reportOf(name);
    });

    test.each(ids)("answers a pointer over the plots of #%s", async (id) => {
      const { page } = await openFile(browser, file);
      expect(await tipAt(page, id)).toMatch(/\d/);
      await page.close();
    });
  });

  test("names every server of a plan's costs on a narrow screen too, and the axis; shades a table that goes on", async () => {
    // It has one server with a price: another that it beats is put beside it.
    const parts = readFileSync(await reportOf("a plan"), "utf8").split(/("kind": ?"plan-costs")/);
    const beaten = join(folder, "beaten.html");
    const costs = parts[2]!.replace(/\{"name":"1 × H100","isPareto":true(.*?)"usd":(.*?)\}/, (plan, times, usd) => {
      return `${plan},{"name":"2 × H100","isPareto":false${times}"usd":1${usd}}`;
    });
    writeFileSync(beaten, `${parts[0]}${parts[1]}${costs}`);
    const { page } = await openFile(browser, beaten, { width: 400 });
    const { plans } = await page.evaluate<PlanData>(PLAN_DATA);
    const texts = await page.locator("#costs svg text").allTextContents();
    expect(texts).toEqual(expect.arrayContaining(["mean E2E", ...plans.map(({ name }) => name)]));
    expect(plans.some(({ isPareto }) => !isPareto)).toBe(true);
    const attachments = await page.evaluate(
      `getComputedStyle(document.querySelector("#plans .scroll")).backgroundAttachment`,
    );
    expect(attachments).toBe("local, local, scroll, scroll");
    await page.close();
  });

  test("says why servers cannot be, and the answer of the others", async () => {
    const { page } = await openFile(browser, await reportOf("a sweep of closed loops, half of which cannot be"));
    expect(await page.locator("#answer").textContent()).toContain("No point of this server works");
    expect(await page.locator("#points").textContent()).toMatch(/1 stream, 4 streams, 16 streams.*KV/s);
    expect(await page.locator("#latency .key li").allTextContents()).toEqual(["numGpuBlocksOverride 2500"]);
    await page.close();
  });

  test("draws the limit of a sweep once, and a ring, hollow dots and names for what they stand for", async () => {
    const { page } = await openFile(browser, await reportOf("a sweep"));
    const limits = `[...document.querySelectorAll("#latency text")].filter(({ textContent }) => textContent.includes("≤")).length`;
    expect(await page.evaluate(limits)).toBe(1);
    const names = await page.locator("#latency .panel").first().locator("svg").textContent();
    expect(names).toContain("maxNumSeqs 1");
    expect(names).toContain("maxNumSeqs 8");
    expect(await page.locator("#latency .key").textContent()).toContain("past saturation");
    await page.close();
  });

  describe("of a run", () => {
    let file: string;

    beforeAll(async () => {
      file = await reportOf("a busy run");
    });

    test.each(["latency", "timeline", "step", "slowest"])("answers a pointer over the plots of #%s", async (id) => {
      const { page } = await openFile(browser, file);
      expect(await tipAt(page, id)).toMatch(/\d/);
      await page.close();
    });

    test("says of its lines over time that they are means of slices, whose busiest is no maximum of steps", async () => {
      const { page } = await openFile(browser, file);
      const caption = (await page.locator("#timeline figcaption").first().textContent()) ?? "";
      expect(caption).toMatch(
        /in the busiest slice.*means of slices of [\d.,]+\s(ms|s): single steps may exceed them\.$/,
      );
      expect(caption).not.toContain("at most");
      await page.close();
    });

    test("is reached by the keyboard: the links, the tables behind the plots, and what scrolls", async () => {
      const { page } = await openFile(browser, file);
      const reached: string[] = [];
      const isAt = (selector: string) => page.evaluate<boolean>(`document.activeElement.matches("${selector}")`);
      do {
        await page.keyboard.press("Tab");
        reached.push(await page.evaluate<string>("document.activeElement.tagName"));
      } while (reached.length < 40 && !(await isAt("#latency summary")));
      expect(reached.slice(0, 7)).toEqual(new Array(7).fill("A"));
      expect(await isAt("#latency summary")).toBe(true);
      await page.keyboard.press("Enter");
      expect(await page.locator("#latency details table").isVisible()).toBe(true);
      await page.keyboard.press("Tab");
      expect(await isAt("#latency details [role=region]")).toBe(true);
      await page.close();
    });

    test("follows the reader's choice of light and dark, the lines of its plots too", async () => {
      const colors = `(() => {
        const line = document.querySelector('#latency g[aria-label="line"] path');
        return [getComputedStyle(document.body).backgroundColor, getComputedStyle(line.closest("[stroke]")).stroke];
      })()`;
      const { page } = await openFile(browser, file);
      const light = await page.evaluate<string[]>(colors);
      await page.emulateMedia({ colorScheme: "dark" });
      const dark = await page.evaluate<string[]>(colors);
      for (const [i, color] of dark.entries()) expect(color).not.toBe(light[i]);
      await page.close();
    });

    test("draws anew when the window changes its width", async () => {
      const { page } = await openFile(browser, file);
      const plot = page.locator("#latency .plot-canvas svg").first();
      const before = Number(await plot.getAttribute("width"));
      await page.setViewportSize({ width: 390, height: 800 });
      // Not waitForFunction: from its second look on it needs an eval that the policy of the page forbids.
      await expect.poll(async () => Number(await plot.getAttribute("width"))).not.toBe(before);
      expect(Number(await plot.getAttribute("width"))).toBeLessThanOrEqual(390);
      await page.close();
    });
  });
});
