import { readdirSync, readFileSync } from "node:fs";
import { dirname, join, relative, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";

const projectRoot = resolve(dirname(fileURLToPath(import.meta.url)), "..");
const srcRoot = join(projectRoot, "src");

/** Rank of every folder of src: imports point strictly down, or stay inside the folder. */
const RANKS: Readonly<Record<string, number>> = {
  "core/errors": 0,
  "core/units": 0,
  "core/des": 1,
  "core/config": 1,
  "core/request": 2,
  "core/batch": 2,
  "core/model": 2,
  "core/hardware": 2,
  "core/kv": 3,
  "core/kernels": 3,
  "core/workload": 3,
  "core/scheduler": 4,
  "core/stepmodel": 4,
  "core/metrics": 4,
  "core/engine": 5,
  "core/analysis": 6,
  "core/evaluation": 6,
  "core/index.ts": 7,
  io: 8,
  "index.ts": 9,
  cli: 10,
};

const FORBIDDEN_NAMES = new Set(["utils", "helpers", "common", "misc", "shared", "types"]);

function sourceFiles(folder: string): string[] {
  return readdirSync(folder, { withFileTypes: true, recursive: true })
    .filter((entry) => entry.isFile() && entry.name.endsWith(".ts"))
    .map((entry) => relative(srcRoot, join(entry.parentPath, entry.name)));
}

/** The ranked unit a file of src belongs to. */
function unitOf(file: string): string {
  if (file === "index.ts" || file === "core/index.ts") return file;
  const [first, second] = file.split("/");
  return first === "core" ? `core/${second}` : (first as string);
}

function relativeImports(text: string): string[] {
  return [...text.matchAll(/(?:from|import)\s*\(?\s*"(\.[^"]+)"/g)].map((match) => match[1] as string);
}

/** Broken layer rules of one file, in words. */
function violations(file: string, text: string): string[] {
  const found: string[] = [];
  const from = unitOf(file);
  for (const specifier of relativeImports(text)) {
    const target = relative(srcRoot, resolve(srcRoot, dirname(file), specifier)).replace(/\.js$/, ".ts");
    const to = unitOf(target);
    if (from === to) continue;
    const fromRank = RANKS[from];
    const toRank = RANKS[to];
    if (fromRank === undefined || toRank === undefined) found.push(`${file}: no rank for ${from} or ${to}`);
    else if (toRank >= fromRank) found.push(`${file} (rank ${fromRank}) imports ${target} (rank ${toRank})`);
  }
  return found;
}

describe("architecture", () => {
  const files = sourceFiles(srcRoot);

  it("lets imports point down only", () => {
    expect(files.length).toBeGreaterThan(20);
    const found = files.flatMap((file) => violations(file, readFileSync(join(srcRoot, file), "utf8")));
    expect(found).toEqual([]);
  });

  it("catches a planted upward import and a planted sideways one", () => {
    expect(violations("core/kv/planted.ts", 'import { x } from "../engine/simulate.js";')).toHaveLength(1);
    expect(violations("core/kv/planted.ts", 'import { x } from "../kernels/kernelModel.js";')).toHaveLength(1);
    expect(violations("core/kv/planted.ts", 'const x = await import("../../io/catalog.js");')).toHaveLength(1);
    expect(violations("core/kv/planted.ts", 'import { x } from "../units/units.js";')).toEqual([]);
  });

  it("imports zod so that a bundle leaves out what is not used: half a megabyte of it are translations", () => {
    const importsWhole = (text: string) => /import (?!type)(?:z\b|\{[^}]*\bz\b[^}]*\}).* from "zod"/.test(text);
    expect(importsWhole('import { z } from "zod";') && importsWhole('import z from "zod";')).toBe(true);
    expect(files.filter((file) => importsWhole(readFileSync(join(srcRoot, file), "utf8")))).toEqual([]);
  });

  it("has no file or folder with a name that says nothing", () => {
    const parts = files.flatMap((file) => file.replace(/\.ts$/, "").split("/"));
    expect(parts.filter((part) => FORBIDDEN_NAMES.has(part))).toEqual([]);
  });
});
