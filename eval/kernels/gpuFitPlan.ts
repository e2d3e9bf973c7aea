import { TABLE_VERSIONS, type TableVersions } from "../../src/io/benchData/aiconfiguratorVersions.js";

/** Which measurements a GPU's efficiencies are fitted to; paths below `systems/data` of an aiconfigurator checkout. */
export interface GpuFitPlan extends TableVersions {
  /** Our id; also the JSON file's name. */
  readonly gpu: string;
  /** Hardware file below configs/hardware. */
  readonly hardwareFile: string;
  readonly system: string;
  readonly ncclVersion: string;
}

/** The tables that `bench-data import aiconfigurator` takes as well, and NCCL's. */
export const GPU_FIT_PLANS: readonly GpuFitPlan[] = [
  { gpu: "H100", hardwareFile: "h100.json", system: "h100_sxm", ...TABLE_VERSIONS.H100, ncclVersion: "2.27.3" },
  { gpu: "H200", hardwareFile: "h200.json", system: "h200_sxm", ...TABLE_VERSIONS.H200, ncclVersion: "2.29.2" },
  {
    ...{ gpu: "A100-80", hardwareFile: "a100-80.json", system: "a100_sxm" },
    ...TABLE_VERSIONS["A100-80"],
    ncclVersion: "2.27.3",
  },
  { gpu: "L40S", hardwareFile: "l40s.json", system: "l40s", ...TABLE_VERSIONS.L40S, ncclVersion: "2.27.3" },
  { gpu: "B200", hardwareFile: "b200.json", system: "b200_sxm", ...TABLE_VERSIONS.B200, ncclVersion: "2.29.2" },
];
