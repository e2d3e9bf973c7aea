// `npm run build`: tsc makes the library, a file per module with its types; esbuild makes the command line, a few files
// with its packages inside, because a process that opens hundreds of modules starts three times slower; and the program
// and style of a report's page, which are put into each report.
import { spawnSync } from "node:child_process";
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const root = join(dirname(fileURLToPath(import.meta.url)), "..");
const cliFolder = join(root, "dist", "cli");

/** Packages for one command each, and large: read from node_modules when that command needs them. */
const LEFT_OUTSIDE = ["@observablehq/plot", "linkedom", "hyparquet", "hyparquet-compressors", "piscina"];

/**
 * yargs lays its help out by string-width, which builds regular expressions for emoji when it is loaded: 20 ms of every
 * start, for characters that the help does not have.
 */
const plainWidths = {
  name: "plain-widths",
  setup(bundler) {
    bundler.onResolve({ filter: /^string-width$/ }, ({ path }) => ({ path, namespace: "plain-widths" }));
    bundler.onLoad({ filter: /.*/, namespace: "plain-widths" }, () => ({
      contents: "export default (text) => [...text].length;",
    }));
  },
};

/** What `requirePackage` loads is a file beside the others, for the same reason; `[file in dist/cli]: package`. */
const REQUIRED = { yaml: "yaml", "csv-parse/sync": "csv-parse/sync" };
const requiredFiles = {
  name: "required-files",
  setup(bundler) {
    bundler.onLoad({ filter: /requirePackage\.ts$/ }, () => ({
      contents: `import { createRequire } from "node:module";
        const load = createRequire(import.meta.url);
        export const requirePackage = (name) => load(\`./\${name}.cjs\`);`,
    }));
  },
};

function buildLibrary() {
  const tsc = join(root, "node_modules", "typescript", "bin", "tsc");
  const { status } = spawnSync(process.execPath, [tsc, "-p", "tsconfig.json"], { cwd: root, stdio: "inherit" });
  if (status !== 0) process.exit(status ?? 1);
}

async function buildCommandLine() {
  const { build } = await import("esbuild");
  rmSync(cliFolder, { recursive: true, force: true });
  const common = {
    absWorkingDir: root,
    outdir: "dist/cli",
    bundle: true,
    platform: "node",
    target: "node20",
    sourcemap: true,
    sourcesContent: false,
    minifyWhitespace: true,
    minifySyntax: true,
    metafile: true,
    logLevel: "warning",
  };
  const modules = {
    ...common,
    // What a command loads by `import()` stays in files of its own.
    splitting: true,
    format: "esm",
    // ES modules where a package has them: of CommonJS nothing can be left out.
    mainFields: ["module", "main"],
    external: LEFT_OUTSIDE,
    plugins: [plainWidths, requiredFiles],
  };
  const main = await build({ ...modules, entryPoints: ["src/cli/main.ts"] });
  // What a thread of a sweep loads, built alone: shared with main.js, it would cut that into more files to open.
  const worker = await build({ ...modules, entryPoints: ["src/io/sweep/sweepWorker.ts"] });
  const required = await build({ ...common, entryPoints: REQUIRED, format: "cjs", outExtension: { ".js": ".cjs" } });
  const inputs = [main, worker, required].flatMap(({ metafile }) => Object.keys(metafile.inputs));
  writeFileSync(join(cliFolder, "THIRD-PARTY-LICENSES.txt"), licenses(inputs));
}

/** The program of a report's page and its plotting library in one file, which a report carries whole, and its style. */
async function buildReportPage() {
  const { build } = await import("esbuild");
  const common = { absWorkingDir: root, bundle: true, minify: true, target: "es2022", logLevel: "warning" };
  const program = await build({
    ...common,
    entryPoints: ["src/report/main.ts"],
    outfile: "dist/report/page.js",
    format: "iife",
    platform: "browser",
    charset: "utf8",
    metafile: true,
    write: false,
  });
  const [{ text }] = program.outputFiles;
  const credits = licenses(Object.keys(program.metafile.inputs)).replaceAll("*/", "* /");
  mkdirSync(join(root, "dist", "report"), { recursive: true });
  writeFileSync(join(root, "dist", "report", "page.js"), `/*! This page holds parts of:\n\n${credits}*/\n${text}`);
  await build({ ...common, entryPoints: ["src/report/page.css"], outfile: "dist/report/page.css" });
}

/** The licences of the packages whose files are in the bundle. */
function licenses(files) {
  const folders = files.map((file) => /^.*node_modules\/(?:@[^/]+\/)?[^/]+/.exec(file)?.[0]);
  const texts = [...new Set(folders)]
    .filter((folder) => folder !== undefined)
    .map((folder) => {
      const at = join(root, folder);
      const { name, version, license } = JSON.parse(readFileSync(join(at, "package.json"), "utf8"));
      const file = readdirSync(at).find((entry) => /^licen[cs]e/i.test(entry));
      return `${name} ${version} (${license})\n\n${file === undefined ? "" : readFileSync(join(at, file), "utf8").trim()}\n`;
    });
  return texts.sort().join(`\n${"-".repeat(80)}\n\n`);
}

buildLibrary();
await buildCommandLine();
await buildReportPage();
