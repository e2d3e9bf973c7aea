import type { Deployment, Server } from "../../../src/core/engine/createServer.js";
import { KeptRequests } from "../../../src/core/engine/requestSinks.js";
import type { RunConfig } from "../../../src/core/engine/runConfig.js";
import type { EngineStats, RequestSink, StepObserver } from "../../../src/core/engine/runResult.js";
import { type SimulationResult, simulateStreaming } from "../../../src/core/engine/simulate.js";
import { gapsWithClientResidual, withClientResidual } from "../../../src/core/metrics/clientResidual.js";
import type { Workload } from "../../../src/core/workload/workload.js";
import { BlockPool } from "../blockKv/blockPool.js";
import { KvCacheManager } from "../blockKv/kvCacheManager.js";
import { PlainScheduler } from "./plainScheduler.js";
import { PlainServerLoop } from "./plainServerLoop.js";

/** `simulateRequests` by the plain engine: request by request, block by block. */
export function simulatePlain(deployment: Deployment, config: RunConfig, workload: Workload): SimulationResult {
  const sink = new KeptRequests();
  const streamed = simulateStreaming(deployment, config, workload, { sink, serve: servePlain });
  return { ...streamed, records: sink.records, specs: sink.specs };
}

function servePlain(
  { parts, residual }: Server,
  workload: Workload,
  _observer: StepObserver | null,
  sink: RequestSink,
): EngineStats {
  const { scheduler, numGpuBlocks } = parts;
  const kv = new KvCacheManager(new BlockPool(numGpuBlocks), { ...scheduler.kv.config, slidingWindow: 0 });
  const plain = { ...parts, scheduler: new PlainScheduler(scheduler.config, kv) };
  const { records, specs, stats } = new PlainServerLoop(plain, workload).run();
  records.forEach((record, i) => {
    sink.add(residual === null ? record : withClientResidual(record, residual), specs[i]!);
  });
  return residual === null ? stats : { ...stats, gapsUs: gapsWithClientResidual(stats.gapsUs, residual) };
}
