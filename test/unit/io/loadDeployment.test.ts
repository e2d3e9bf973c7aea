import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { gpuRoofs } from "../../../src/core/kernels/gpuRoofs.js";
import { physicalFloor } from "../../../src/core/kernels/tables/physicalFloor.js";
import { gemmRowOperator } from "../../../src/core/kernels/tables/rowOperator.js";
import { loadGpu } from "../../../src/io/catalog.js";
import { loadDeployment } from "../../../src/io/loadDeployment.js";
import { temporaryFolder } from "../../reference/temporaryFile.js";

const { folder } = temporaryFolder();
const tables = join(folder, "tables");
const l4 = loadGpu("L4");

/** Products of a small model, each half as fast as an L4 could be. */
function writeGemmTable(): void {
  const rows = [16, 512].flatMap((m) =>
    [1024, 2048].map((k) => {
      const shape = { m, k, n: 2048, dtype: "bf16" as const };
      return `${m},${k},2048,${5 + 2 * physicalFloor(gemmRowOperator(shape), gpuRoofs(l4)).us},measured`;
    }),
  );
  mkdirSync(join(tables, "gemm/l4"), { recursive: true });
  writeFileSync(join(tables, "gemm/l4/data.csv"), `m,k,n,latency_us,source\n${rows.join("\n")}\n`);
}

function notesAfter(k: number): string {
  writeGemmTable();
  const { kernelModel, notes } = loadDeployment({ model: "meta-llama/Llama-3.2-3B", gpu: "L4", benchData: tables });
  kernelModel.price(gemmRowOperator({ m: 64, k, n: 2048, dtype: "bf16" }));
  return notes!().join("\n");
}

describe("a deployment with kernel tables of a GPU that borrows its efficiencies", () => {
  it("says whose efficiencies fill the gaps, not that the GPU was never measured", () => {
    expect(notesAfter(1500)).toContain("what the tables have no rows for is priced with L40S's efficiencies");
    expect(notesAfter(1500)).not.toContain("no kernel measurements");
    expect(loadDeployment({ model: "meta-llama/Llama-3.2-3B", gpu: "L4" }).notes!().join()).toContain(
      "no kernel measurements of L4",
    );
  });

  it("says how far beyond the rows it was asked, where an edge does not carry that far", () => {
    expect(notesAfter(1500)).not.toContain("beyond the rows");
    expect(notesAfter(2100)).not.toContain("beyond the rows");
    expect(notesAfter(8192)).toContain("gemm up to 4.0 times, 1 of 1 prices");
  });
});
