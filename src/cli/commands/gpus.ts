import { BYTES_PER_GIB } from "../../core/units/units.js";
import { loadGpuCatalog, loadGpuEfficiency } from "../../io/catalog.js";
import type { CommandBody } from "../commandTable.js";
import { numberColumns, textTable } from "../textTable.js";

export const gpusCommand: CommandBody = {
  builder: (command) =>
    command
      .option("format", {
        choices: ["table", "json"],
        default: "table",
        requiresArg: true,
        describe: "what stdout carries",
      })
      .epilogue(
        "kernels: fitted = efficiencies fitted to measurements of this GPU; transferred = another GPU's efficiencies " +
          "on this one's peaks (expect larger errors).\nYour own GPU: --gpu path/to/spec.json, written like " +
          "`roofserve gpus --format json` prints them.",
      ),
  handler: (argv) => {
    const rows = loadGpuCatalog().map((gpu) => ({
      gpu,
      kernels: loadGpuEfficiency(gpu.id) === null ? "transferred" : "fitted",
    }));
    if (argv.format === "json") {
      const gpus = rows.map(({ gpu }) => gpu);
      const kernels = Object.fromEntries(rows.map(({ gpu, kernels }) => [gpu.id, kernels]));
      process.stdout.write(`${JSON.stringify({ schema: "roofserve.gpus/1", gpus, kernels }, null, 2)}\n`);
      return;
    }
    const columns = numberColumns(
      "gpu",
      "memory GiB",
      "TB/s",
      "bf16 TFLOP/s",
      "fp8 TFLOP/s",
      "SMs",
      "link GB/s",
      "kernels",
    );
    const cells = rows.map(({ gpu, kernels }) => [
      gpu.id,
      (gpu.memory.capacityBytes / BYTES_PER_GIB).toFixed(1),
      (gpu.memory.bandwidthBytesPerS / 1e12).toFixed(3),
      (gpu.compute.bf16FlopsPerS / 1e12).toFixed(1),
      gpu.compute.fp8FlopsPerS === null ? "–" : (gpu.compute.fp8FlopsPerS / 1e12).toFixed(1),
      String(gpu.compute.numSms),
      (gpu.interconnect.bandwidthBytesPerS / 1e9).toFixed(0),
      kernels,
    ]);
    process.stdout.write(textTable(columns, cells));
  },
};
