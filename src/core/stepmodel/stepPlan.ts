import type { KernelModel } from "../kernels/kernelModel.js";
import type { ModelArchitecture } from "../model/modelArchitecture.js";
import type { SamplingTraits, ServingDtypes } from "../model/operators.js";
import type { Parallelism } from "../model/sharding.js";
import type { WaitConstants } from "./stepWaits.js";

/** Everything that fixes the price of a step besides its batch. */
export interface StepPlan {
  readonly architecture: ModelArchitecture;
  readonly parallelism: Parallelism;
  readonly dtypes: ServingDtypes;
  readonly sampling: SamplingTraits;
  readonly kernelModel: KernelModel;
  /** CUDA graph sizes, ascending; a step of no more tokens than the last is padded to the next. Empty = eager. */
  readonly captureSizes: readonly number[];
  readonly waits: WaitConstants;
}
