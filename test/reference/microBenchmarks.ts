import { createStream } from "../../src/core/des/streams.js";
import type { GpuSpec } from "../../src/core/hardware/gpuSpec.js";

/** A GPU as its micro-benchmarks would find it. */
export interface MemoryTruth {
  /** Fractions of datasheet bandwidth; scattered and mixed reads in blocks of `blockBytes`. */
  readonly sequential: number;
  readonly scattered: number;
  readonly mixed: number;
  readonly blockBytes: number;
  readonly launchUs: number;
  /** µs per kernel in either order, and what the interleaved one adds. */
  readonly kernelUs: number;
  readonly launchGapUs: number;
}

/** How well it was measured. */
export interface MeasuringErrors {
  /** Largest relative error of an ordinary row, either way. */
  readonly noise: number;
  /** Share of rows that something disturbed: up to three times as long. */
  readonly outlierShare: number;
}

const MEBIBYTE = 2 ** 20;
const REPEATS = 5;

/** The CSV that a faithful benchmark program would write, L2-resident sizes included; the same seed, the same bytes. */
export function microBenchmarkCsv(gpu: GpuSpec, truth: MemoryTruth, errors: MeasuringErrors, seed: number): string {
  const draw = createStream(seed, "micro-benchmarks");
  const disturbed = (us: number): string => {
    const noisy = us * (1 + errors.noise * (2 * draw() - 1));
    return (draw() < errors.outlierShare ? noisy * (1.2 + 1.8 * draw()) : noisy).toFixed(3);
  };
  const lines = ["suite,pattern,bytes,block_bytes,working_set_bytes,kernels,latency_us,source,clock_mhz"];
  const bytesPerUs = gpu.memory.bandwidthBytesPerS / 1e6;
  for (const pattern of ["sequential", "scattered", "mixed"] as const) {
    for (let bytes = 8 * MEBIBYTE; bytes <= 8192 * MEBIBYTE; bytes *= 2) {
      // What fits in L2 runs at several times the memory's bandwidth.
      const perUs = bytes <= 2 * gpu.memory.l2Bytes ? 3 * bytesPerUs : truth[pattern] * bytesPerUs;
      const block = pattern === "sequential" ? "" : truth.blockBytes;
      for (let repeat = 0; repeat < REPEATS; repeat++) {
        lines.push(`bandwidth,${pattern},${bytes},${block},,,${disturbed(truth.launchUs + bytes / perUs)},a test,1980`);
      }
    }
  }
  for (const kernels of [40, 80, 160, 320, 640, 1280]) {
    for (let repeat = 0; repeat < REPEATS; repeat++) {
      const groupedUs = kernels * truth.kernelUs;
      lines.push(`launch_gap,grouped,,,,${kernels},${disturbed(groupedUs)},a test,1980`);
      lines.push(
        `launch_gap,interleaved,,,,${kernels},${disturbed(groupedUs + kernels * truth.launchGapUs)},a test,1980`,
      );
    }
  }
  return `${lines.join("\n")}\n`;
}
