import { type Operator, operatorBytes } from "../../model/operator.js";
import { peakFlopsPerUs } from "../gemmKernel.js";
import type { GpuRoofs } from "../gpuRoofs.js";
import type { KernelPrice } from "../kernelModel.js";

/** Least µs physics allows one run of an operator. */
export interface PhysicalFloor {
  readonly us: number;
  /** The roof that sets it. */
  readonly boundBy: Exclude<KernelPrice["boundBy"], "launch">;
  /** What each roof alone would ask. */
  readonly computeUs: number;
  readonly memoryUs: number;
}

/**
 * FLOPs at the dtype's dense tensor-core peak, bytes at peak memory bandwidth, and for a collective the message over
 * one link: even with reduction inside the switch every rank must send its whole tensor once.
 */
export function physicalFloor(operator: Operator, roofs: GpuRoofs): PhysicalFloor {
  const { dims } = operator;
  const hasWeights = dims.category === "gemm" || dims.category === "grouped-gemm";
  const peak = hasWeights ? peakFlopsPerUs(roofs, dims.weightDtype) : roofs.bf16FlopsPerUs;
  const computeUs = operator.flops / peak;
  const memoryUs = operatorBytes(operator) / roofs.bytesPerUs;
  if (dims.category === "collective") {
    const networkUs = dims.collective === "all-reduce" ? dims.messageBytes / roofs.linkBytesPerUs : 0;
    if (networkUs >= memoryUs) return { us: networkUs, boundBy: "network", computeUs, memoryUs };
  }
  const boundBy = computeUs > memoryUs ? "compute" : "memory";
  return { us: Math.max(computeUs, memoryUs), boundBy, computeUs, memoryUs };
}
