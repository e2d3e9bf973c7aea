import { existsSync } from "node:fs";
import { join } from "node:path";
import { type PriceTable, priceProblems, priceTableSchema } from "../../core/analysis/plan/priceTable.js";
import { DataFileError } from "../../core/errors/simulationError.js";
import { loadGpuCatalog } from "../catalog.js";
import { checkData, readDataText } from "../dataFile/dataFile.js";
import { PACKAGE_ROOT } from "../packageRoot.js";
import { parseJson } from "../structuredFile.js";

/** Prices that ship; list prices of single days, there to be replaced. */
export const BUILT_IN_PRICES = join(PACKAGE_ROOT, "configs", "prices.json");

const REMEDY =
  'give a file such as {"prices": [{"gpu": "H100", "usdPerGpuHour": 2.5, "source": "our contract", "date": "2026-01-31"}]}';

/** @param file of the user's; null = the built-in ones @throws DataFileError */
export function readPrices(file: string | null): PriceTable {
  const path = file ?? BUILT_IN_PRICES;
  const table = checkData(priceTableSchema, parseJson(readDataText(path, REMEDY), path), path, REMEDY);
  const [problem] = priceProblems(table, loadGpuCatalog(), existsSync);
  if (problem !== undefined) throw new DataFileError({ file: path, row: problem.row + 1 }, problem.text);
  return table;
}
