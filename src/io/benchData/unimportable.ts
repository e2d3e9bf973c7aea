import { existsSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { DataFileError } from "../../core/errors/simulationError.js";
import { findGpu, type GpuCatalog } from "../../core/hardware/gpuCatalog.js";
import type { GpuSpec } from "../../core/hardware/gpuSpec.js";
import type { GpuSpecFile } from "../../core/hardware/gpuSpecSchema.js";
import { shellWord } from "../shellWord.js";
import {
  type CollectedDevice,
  type CollectedSidecar,
  readCollectedSidecar,
  SELF_TEST_DEVICE,
} from "./collectedSidecar.js";
import { systemsFolder } from "./importAiconfigurator.js";
import { CHARACTERIZATION_FOLDER, gpuOfFolder } from "./tableFiles.js";

/** A folder without kernel tables: what it may be instead, and the command for that. */
export function noTables(dir: string, only: GpuSpec | null): DataFileError {
  const whose = only === null ? "" : ` of ${only.id}`;
  const problem = `has no kernel tables${whose}; expected gemm/<gpu>/data.csv and the like`;
  return new DataFileError({ file: dir }, `${problem}${otherUse(dir)}`);
}

function otherUse(dir: string): string {
  if (systemsFolder(dir) !== null) {
    return `. It looks like a checkout of aiconfigurator: roofserve bench-data import aiconfigurator ${shellWord(dir)} --out DIR`;
  }
  const measured = join(dir, CHARACTERIZATION_FOLDER);
  if (!existsSync(measured)) return "";
  const [gpu = "GPU"] = readdirSync(measured).map(gpuOfFolder).sort();
  return `. Its micro-benchmarks need no import: roofserve characterize ${shellWord(dir)} --gpu ${gpu.toUpperCase()} --out FILE`;
}

/**
 * Tables of cards that nobody knows: one error, however many tables there are, with as much of the wanted spec as the
 * folder's account of its device knows.
 * @throws DataFileError when no GPU was measured at all
 */
export function unknownGpus(dir: string, gpuFolders: readonly string[], gpus: GpuCatalog): DataFileError {
  const [first = ""] = gpuFolders;
  const problem = `no GPU is called ${gpuFolders.join(", ")}`;
  const sidecar = readCollectedSidecar(dir, gpuOfFolder(first));
  requireMeasured(dir, sidecar);
  const device = sidecar?.device ?? null;
  const found = device === null ? null : findGpu(device.name, gpus);
  if (found !== null) {
    const remedy = `it was measured on ${device!.name}: call the folders ${found.id.toLowerCase()}`;
    return new DataFileError({ file: dir }, `${problem}; ${remedy}`);
  }
  const remedy = "give its spec with --gpu FILE; roofserve gpus --format json shows the form";
  const known =
    device === null
      ? ""
      : `. As far as collected.json knows it, the rest from the datasheet:\n${specDraft(first, device)}`;
  return new DataFileError({ file: dir }, `${problem}; ${remedy}${known}`);
}

/** @throws DataFileError for what the self-test wrote */
export function requireMeasured(dir: string, sidecar: CollectedSidecar | null): void {
  if (sidecar?.device.name !== SELF_TEST_DEVICE) return;
  const problem = "was written by the self-test of bench_data/collect, which measures nothing";
  throw new DataFileError({ file: join(dir, sidecar.path) }, `${problem}; give the folder of a GPU`);
}

/** A spec with what CUDA reports; what it does not report is 0 or empty, which no spec may be. */
function specDraft(gpuFolder: string, { name, memoryBytes, l2Bytes, sms }: CollectedDevice): string {
  const draft: GpuSpecFile = {
    id: gpuFolder.toUpperCase(),
    aliases: [],
    name,
    memory: { source: "", capacityBytes: memoryBytes ?? 0, bandwidthBytesPerS: 0, l2Bytes: l2Bytes ?? 0 },
    compute: { source: "", numSms: sms ?? 0, bf16FlopsPerS: 0, fp8FlopsPerS: null },
    interconnect: { source: "", kind: "pcie", bandwidthBytesPerS: 0 },
  };
  return JSON.stringify(draft, null, 2);
}
