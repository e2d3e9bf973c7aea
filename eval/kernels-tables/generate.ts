/**
 * Writes the modelled tables of bench_data again, and the shapes that bench_data/collect measures:
 * `npx tsx eval/kernels-tables/generate.ts [outDir]`.
 * Run it after a change of `bench_data/efficiency`, the operators or the built-in models; tests compare.
 */

import { BENCH_DATA_FOLDER } from "../../src/io/catalog.js";
import { writeCollectShapes } from "./collectShapes.js";
import { generateShippedTables } from "./shippedTables.js";

const outDir = process.argv[2] ?? BENCH_DATA_FOLDER;
const written = generateShippedTables(outDir);
writeCollectShapes(outDir);
process.stderr.write(`${written.length} tables and the shapes to measure\n`);
