import { createHash } from "node:crypto";
import { readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { ConfigError } from "../../core/errors/simulationError.js";
import { DATA_ELEMENT_ID, PAGE_ELEMENT_ID, type ReportPage } from "../../report/reportPage.js";
import { PACKAGE_ROOT } from "../packageRoot.js";
import { writeFileAtomically } from "../results/atomicFile.js";
import { cleanJson } from "../results/cleanJson.js";
import { requireWritableFile } from "../results/outputFolder.js";

/** The page's program with its plotting library, and its style sheet: one file each, made by `npm run build`. */
const BUILT_FOLDER = join(PACKAGE_ROOT, "dist", "report");

/**
 * Says before an expensive run that its report could not be written; creates nothing.
 * @throws ConfigError for a name that is none, DataFileError where the place cannot take files
 */
export function requireWritableReport(file: string): void {
  if (file.trim() === "") {
    throw new ConfigError([{ path: "--report", received: JSON.stringify(file), allowed: "must name a file" }]);
  }
  requireWritableFile(file);
}

/**
 * Writes a page as one HTML file that asks for nothing from anywhere; whole or not at all, equal pages as equal bytes.
 * @returns its size in bytes
 * @throws DataFileError when it cannot be written
 */
export function writeReport(file: string, page: ReportPage): number {
  const program = readFileSync(join(BUILT_FOLDER, "page.js"), "utf8");
  const style = readFileSync(join(BUILT_FOLDER, "page.css"), "utf8");
  writeFileAtomically(file, [reportHtml(page, { program, style })]);
  return statSync(file).size;
}

/** What the build made of `src/report`. */
interface BuiltPage {
  readonly program: string;
  readonly style: string;
}

/**
 * The file's text. Its policy lets run the one program that it holds, and nothing be fetched; the plotting library writes
 * style elements of its own.
 */
export function reportHtml(page: ReportPage, { program, style }: BuiltPage): string {
  const policy = [
    "default-src 'none'",
    `script-src 'sha256-${createHash("sha256").update(program).digest("base64")}'`,
    "style-src 'unsafe-inline'",
    "img-src data:",
    "base-uri 'none'",
    "form-action 'none'",
  ];
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="${policy.join("; ")}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta name="generator" content="roofserve ${escapeHtml(page.version)}">
<title>${escapeHtml(page.title)} – roofserve</title>
<link rel="icon" href="data:,">
<style>${style}</style>
</head>
<body>
<div id="${PAGE_ELEMENT_ID}"><h1>${escapeHtml(page.title)}</h1><noscript>The pictures of this report are drawn by its own program: allow JavaScript to see them.</noscript></div>
<script type="application/json" id="${DATA_ELEMENT_ID}">${embeddedJson(page)}</script>
<script>${program}</script>
</body>
</html>
`;
}

/** JSON that cannot end the element it stands in: a `<` is only ever in a string. */
function embeddedJson(value: unknown): string {
  return cleanJson(value, 0).replace(/</g, "\\u003c");
}

function escapeHtml(text: string): string {
  return text.replace(/&/g, "&amp;").replace(/</g, "&lt;").replace(/>/g, "&gt;").replace(/"/g, "&quot;");
}
