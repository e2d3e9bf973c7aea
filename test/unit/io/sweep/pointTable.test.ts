import { parse } from "csv-parse/sync";
import { expect, it } from "vitest";
import { runSweep } from "../../../../src/core/analysis/sweep/runSweep.js";
import { pointCsvLines } from "../../../../src/io/sweep/pointTable.js";
import { smallRates, smallSweep, someRun } from "../../core/analysis/sweep/smallSweep.js";

it("a point whose run is too short to tell is called so in CSV too, and not below saturation", async () => {
  const { regime, e2eMs } = someRun();
  const sweep = smallSweep({ series: [{ label: "", varied: {}, configs: smallRates(1, 2, 4) }] });
  const points = await runSweep(sweep, async ({ point }) => ({
    run: someRun({
      e2eMs: { ...e2eMs, mean: 1000 },
      arrivalSpanS: point.index === 0 ? 1000 : 1,
      regime: { ...regime, closedLoop: false, label: point.index === 2 ? "past" : "below" },
    }),
  }));
  const grid = { axes: [], rates: [1, 2, 4], guidellmSize: null, seeds: [42] };
  const rows = parse([...pointCsvLines({ points, grid })].join(""), { columns: true }) as Record<string, string>[];
  expect(rows.map(({ saturation }) => saturation)).toEqual(["below", "tooShort", "past"]);
});
