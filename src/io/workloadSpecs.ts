import type { RequestSpec } from "../core/request/requestSpec.js";
import type { SpecStream } from "../core/workload/specStream.js";
import type { WorkloadConfig } from "../core/workload/workloadConfig.js";

/** A workload's requests as far as they come from a file. */
export interface WorkloadSpecs {
  /** Null when the workload is generated. */
  readonly specs: readonly RequestSpec[] | SpecStream | null;
  /** What the user should know, one line each. */
  readonly notes: readonly string[];
}

/** Opens the trace a workload config names, if it names one. @throws DataFileError for a broken trace */
export async function readWorkloadSpecs(workload: WorkloadConfig): Promise<WorkloadSpecs> {
  if (workload.data.kind !== "trace") return { specs: null, notes: [] };
  const { openTrace } = await import("./traces/openTrace.js");
  const { specs, warnings } = await openTrace(workload.data.path);
  return { specs, notes: warnings };
}
