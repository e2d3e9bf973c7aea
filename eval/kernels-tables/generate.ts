/**
 * Writes the modelled tables of bench_data again: `npx tsx eval/kernels-tables/generate.ts [outDir]`.
 * Run it after a change of `bench_data/efficiency`, the operators or the built-in models; a test compares.
 */

import { BENCH_DATA_FOLDER } from "../../src/io/catalog.js";
import { generateShippedTables } from "./shippedTables.js";

const written = generateShippedTables(process.argv[2] ?? BENCH_DATA_FOLDER);
process.stderr.write(`${written.length} tables\n`);
