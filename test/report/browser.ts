import { accessSync, constants } from "node:fs";
import { delimiter, join } from "node:path";
import { pathToFileURL } from "node:url";
import { type Browser, chromium, type Page } from "playwright-core";

const NAMES = ["chromium", "chromium-browser", "google-chrome-stable", "google-chrome", "chrome"];

/** The browser that ROOFSERVE_CHROMIUM names, else the first of the usual names on the path; null without one. */
export function findChromium(): string | null {
  const { ROOFSERVE_CHROMIUM: given, PATH = "" } = process.env;
  const folders = PATH.split(delimiter).filter((folder) => folder !== "");
  const candidates =
    given === undefined ? NAMES.flatMap((name) => folders.map((folder) => join(folder, name))) : [given];
  return candidates.find(isExecutable) ?? null;
}

function isExecutable(file: string): boolean {
  try {
    accessSync(file, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

/** Starts a browser without a window. A container's root may not use the sandbox. */
export function startBrowser(executablePath: string): Promise<Browser> {
  return chromium.launch({ executablePath, args: process.getuid?.() === 0 ? ["--no-sandbox"] : [] });
}

/** A file opened in a browser, and what went wrong there. */
export interface OpenedPage {
  readonly page: Page;
  /** Errors and warnings of the console, and exceptions. */
  readonly problems: readonly string[];
  /** Addresses asked for besides the file itself. */
  readonly requests: readonly string[];
}

/** How wide and how bright. */
export interface View {
  readonly width?: number;
  readonly colorScheme?: "light" | "dark";
}

export async function openFile(
  browser: Browser,
  file: string,
  { width = 1280, colorScheme = "light" }: View = {},
): Promise<OpenedPage> {
  const page = await browser.newPage({ viewport: { width, height: 900 }, colorScheme });
  const problems: string[] = [];
  const requests: string[] = [];
  const address = pathToFileURL(file).href;
  page.on("console", (message) => {
    if (message.type() === "error" || message.type() === "warning") problems.push(message.text());
  });
  page.on("pageerror", (error) => problems.push(error.message));
  page.on("request", (request) => {
    if (request.url() !== address && !request.url().startsWith("data:")) requests.push(request.url());
  });
  await page.goto(address);
  await page.locator(".plot-canvas svg").first().waitFor();
  return { page, problems, requests };
}
