import { TABLE_VERSIONS, type TableVersions } from "../../src/io/benchData/aiconfiguratorVersions.js";
import type { MlaTables } from "./mlaRows.js";

/** Which measurements a GPU's efficiencies are fitted to; paths below `systems/data` of an aiconfigurator checkout. */
export interface GpuFitPlan extends TableVersions {
  /** Our id; also the JSON file's name. */
  readonly gpu: string;
  /** Hardware file below configs/hardware. */
  readonly hardwareFile: string;
  readonly system: string;
  /** Latent attention; null where none was measured. */
  readonly mla: MlaTables | null;
  readonly ncclVersion: string;
}

const HOPPER_MLA: MlaTables = { module: "0.19.0", kernel: "0.14.0" };

/** The tables that `bench-data import aiconfigurator` takes as well, and NCCL's. */
export const GPU_FIT_PLANS: readonly GpuFitPlan[] = [
  {
    gpu: "H100",
    hardwareFile: "h100.json",
    system: "h100_sxm",
    ...TABLE_VERSIONS.H100,
    mla: HOPPER_MLA,
    ncclVersion: "2.27.3",
  },
  {
    gpu: "H200",
    hardwareFile: "h200.json",
    system: "h200_sxm",
    ...TABLE_VERSIONS.H200,
    mla: HOPPER_MLA,
    ncclVersion: "2.29.2",
  },
  {
    gpu: "A100-80",
    hardwareFile: "a100-80.json",
    system: "a100_sxm",
    ...TABLE_VERSIONS["A100-80"],
    mla: { module: null, kernel: "0.14.0" },
    ncclVersion: "2.27.3",
  },
  {
    gpu: "L40S",
    hardwareFile: "l40s.json",
    system: "l40s",
    ...TABLE_VERSIONS.L40S,
    mla: { module: "0.24.0", kernel: "0.14.0" },
    ncclVersion: "2.27.3",
  },
  {
    gpu: "B200",
    hardwareFile: "b200.json",
    system: "b200_sxm",
    ...TABLE_VERSIONS.B200,
    mla: { module: "0.19.0", kernel: null },
    ncclVersion: "2.29.2",
  },
];
