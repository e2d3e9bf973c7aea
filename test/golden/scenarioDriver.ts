import { ExtentKvCache } from "../../src/core/kv/extentKvCache.js";
import type { KvCache } from "../../src/core/kv/kvCache.js";
import { Request } from "../../src/core/request/request.js";
import { requestSpec, type TokenSegment } from "../../src/core/request/requestSpec.js";
import { ROW_NEW, ROW_RESUMED, type ScheduledStep } from "../../src/core/scheduler/scheduledStep.js";
import { Scheduler } from "../../src/core/scheduler/scheduler.js";
import { schedulerConfig } from "../../src/core/scheduler/schedulerConfig.js";
import { BlockPool } from "../reference/blockKv/blockPool.js";
import { KvCacheManager } from "../reference/blockKv/kvCacheManager.js";
import { runEngineLoop } from "../reference/engineLoop.js";

export interface ScenarioRequest {
  readonly id: string;
  readonly prompt: number;
  readonly max_tokens: number;
  readonly arrive_step: number;
  readonly priority?: number;
  readonly lora?: number;
  readonly prompt_segments?: readonly (readonly [string, number])[];
  readonly spec_accept?: readonly number[];
}

export interface ScenarioStep {
  step: number;
  scheduled: [string, number][];
  kind: Record<string, string>;
  drafts: Record<string, number>;
  preempted: string[];
  evicted_blocks: number[];
  free_after_schedule: number;
  running: string[];
  waiting: string[];
  samples: string[];
  tokens_out: Record<string, number>;
  finished: string[];
  free_after_update: number;
  update_done_before_schedule: number;
}

export interface Scenario {
  readonly id: string;
  readonly title: string;
  readonly config: {
    readonly max_num_batched_tokens: number;
    readonly max_num_seqs: number;
    readonly block_size: number;
    readonly num_gpu_blocks: number;
    readonly max_model_len: number;
    readonly enable_prefix_caching: boolean;
    readonly enable_chunked_prefill: boolean;
    readonly long_prefill_token_threshold: number;
    readonly policy: "fcfs" | "priority";
    readonly async_scheduling: boolean;
    readonly batch_queue_size: number | null;
    readonly num_spec_tokens: number;
    readonly spec_uses_draft_kv: boolean;
    readonly max_loras: number;
    readonly sliding_window: number;
    readonly no_chunk_rule: "stop" | "skip";
  };
  readonly requests: readonly ScenarioRequest[];
  readonly usable_blocks: number;
  readonly expected_steps: readonly ScenarioStep[];
  readonly final_free: number;
}

/** A pool that notes which blocks lost their contents. */
class TracingBlockPool extends BlockPool {
  readonly evicted: number[] = [];

  protected override evict(blockId: number): void {
    this.evicted.push(blockId);
    super.evict(blockId);
  }
}

/** What a run of a scenario can be compared by. */
export interface ScenarioRun {
  readonly steps: ScenarioStep[];
  readonly finalFree: number;
  readonly usableBlocks: number;
}

/** Runs a scenario over blocks with ids: whole steps, and windows too. */
export function runScenario(scenario: Scenario): ScenarioRun {
  const { num_gpu_blocks, block_size, enable_prefix_caching, sliding_window } = scenario.config;
  const pool = new TracingBlockPool(num_gpu_blocks);
  const kv = new KvCacheManager(pool, {
    blockSize: block_size,
    enablePrefixCaching: enable_prefix_caching,
    slidingWindow: sliding_window,
  });
  return runOver(kv, pool.evicted, scenario);
}

/** Runs a scenario without a window over extents: the same but for the ids of evicted blocks, which are none. */
export function runScenarioOverExtents(scenario: Scenario): ScenarioRun {
  const { num_gpu_blocks, block_size, enable_prefix_caching } = scenario.config;
  const config = { blockSize: block_size, enablePrefixCaching: enable_prefix_caching };
  return runOver(new ExtentKvCache(num_gpu_blocks - 1, config), [], scenario);
}

/** The way of the engine loop, with up to D steps in flight. @param evicted block ids that `kv` notes as it evicts */
function runOver(kv: KvCache, evicted: number[], scenario: Scenario): ScenarioRun {
  const { config } = scenario;
  const scheduler = buildScheduler(scenario, kv);
  const arrivals = buildRequests(scenario).map((request, index) => ({
    request,
    arriveStep: scenario.requests[index]!.arrive_step,
  }));
  const depth = config.batch_queue_size ?? (config.async_scheduling ? 2 : 1);
  const steps: ScenarioStep[] = [];
  runEngineLoop(scheduler, arrivals, depth, {
    beforeSchedule: () => {
      evicted.length = 0;
    },
    afterSchedule: (step, stepNumber) => {
      steps.push(traceSchedule(stepNumber, step, scheduler, evicted));
    },
    afterUpdate: (step, stepNumber, nextStep) => {
      traceUpdate(steps[stepNumber - 1]!, step, scheduler, nextStep);
    },
  });
  return { steps, finalFree: kv.numFreeBlocks, usableBlocks: kv.numUsableBlocks };
}

function buildScheduler({ config }: Scenario, kv: KvCache): Scheduler {
  return new Scheduler(
    schedulerConfig({
      maxNumSeqs: config.max_num_seqs,
      maxNumBatchedTokens: config.max_num_batched_tokens,
      maxModelLen: config.max_model_len,
      enableChunkedPrefill: config.enable_chunked_prefill,
      longPrefillTokenThreshold: config.long_prefill_token_threshold,
      schedulingPolicy: config.policy,
      noChunkRule: config.no_chunk_rule,
      asyncScheduling: config.async_scheduling,
      numSpecTokens: config.num_spec_tokens,
      specUsesDraftKv: config.spec_uses_draft_kv,
      maxLoras: config.max_loras,
    }),
    kv,
  );
}

function buildRequests(scenario: Scenario): Request[] {
  const contentIds = new Map<string, number>();
  const contentOf = (tag: string) => {
    const known = contentIds.get(tag) ?? contentIds.size;
    contentIds.set(tag, known);
    return known;
  };
  return scenario.requests.map((request, index) => {
    const tagged = request.prompt_segments ?? [[`prompt of ${request.id}`, request.prompt] as const];
    const promptSegments: TokenSegment[] = tagged.map(([tag, numTokens]) => ({ contentId: contentOf(tag), numTokens }));
    const draws = [...(request.spec_accept ?? [])];
    const spec = requestSpec({
      id: request.id,
      arrivalUs: 0,
      promptSegments,
      maxTokens: request.max_tokens,
      outputContentId: contentOf(`output of ${request.id}`),
      priority: request.priority ?? 0,
      lora: request.lora === undefined ? null : `adapter ${request.lora}`,
    });
    return new Request(spec, index, () => draws.shift() ?? 0);
  });
}

function traceSchedule(
  number: number,
  step: ScheduledStep,
  scheduler: Scheduler,
  evicted: readonly number[],
): ScenarioStep {
  const trace: ScenarioStep = {
    step: number,
    scheduled: [],
    kind: {},
    drafts: {},
    preempted: step.preempted.slice(0, step.numPreempted).map((request) => request.id),
    evicted_blocks: [...evicted],
    free_after_schedule: scheduler.kv.numFreeBlocks,
    running: scheduler.running.map((request) => request.id),
    waiting: scheduler.waitingInOrder().map((request) => request.id),
    samples: [],
    tokens_out: {},
    finished: [],
    free_after_update: -1,
    update_done_before_schedule: -1,
  };
  for (let row = 0; row < step.numRequests; row++) {
    const { id } = step.requests[row]!;
    trace.scheduled.push([id, step.numNewTokens[row]!]);
    const kind = step.kind[row] === ROW_NEW ? "new" : step.kind[row] === ROW_RESUMED ? "resumed" : "running";
    trace.kind[id] = step.numHitTokens[row]! > 0 ? `${kind}+hit${step.numHitTokens[row]}` : kind;
    if (step.numDraftTokens[row]! > 0) trace.drafts[id] = step.numDraftTokens[row]!;
    if (step.isSampled[row] === 1) trace.samples.push(id);
  }
  return trace;
}

function traceUpdate(trace: ScenarioStep, step: ScheduledStep, scheduler: Scheduler, nextSchedule: number): void {
  for (let row = 0; row < step.numRequests; row++) {
    if (step.numTokensOut[row]! > 0) trace.tokens_out[step.requests[row]!.id] = step.numTokensOut[row]!;
  }
  trace.finished = step.finished.slice(0, step.numFinished).map((request) => request.id);
  trace.free_after_update = scheduler.kv.numFreeBlocks;
  trace.update_done_before_schedule = nextSchedule;
}
