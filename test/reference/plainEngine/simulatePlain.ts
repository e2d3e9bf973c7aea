import type { Deployment, Server } from "../../../src/core/engine/createServer.js";
import type { RunConfig } from "../../../src/core/engine/runConfig.js";
import type { ServedRun } from "../../../src/core/engine/runResult.js";
import { type SimulationResult, simulateRequests } from "../../../src/core/engine/simulate.js";
import { withClientResidual } from "../../../src/core/metrics/clientResidual.js";
import type { Workload } from "../../../src/core/workload/workload.js";
import { BlockPool } from "../blockKv/blockPool.js";
import { KvCacheManager } from "../blockKv/kvCacheManager.js";
import { PlainScheduler } from "./plainScheduler.js";
import { PlainServerLoop } from "./plainServerLoop.js";

/** `simulateRequests` by the plain engine: request by request, block by block. */
export function simulatePlain(deployment: Deployment, config: RunConfig, workload: Workload): SimulationResult {
  return simulateRequests(deployment, config, workload, null, servePlain);
}

function servePlain({ parts, residual }: Server, workload: Workload): ServedRun {
  const { scheduler, numGpuBlocks } = parts;
  const kv = new KvCacheManager(new BlockPool(numGpuBlocks), { ...scheduler.kv.config, slidingWindow: 0 });
  const plain = { ...parts, scheduler: new PlainScheduler(scheduler.config, kv) };
  const served = new PlainServerLoop(plain, workload).run();
  if (residual === null) return served;
  return { ...served, records: served.records.map((record) => withClientResidual(record, residual)) };
}
