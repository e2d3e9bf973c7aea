import { ScheduledBatch } from "../batch/scheduledBatch.js";
import { ConfigError, type ConfigIssue } from "../errors/simulationError.js";
import type { LookupKind } from "../kernels/kernelLookup.js";
import type { KernelPrice, PriceSource } from "../kernels/kernelModel.js";
import { operatorBytes } from "../model/operator.js";
import { WAIT_CATEGORY } from "../stepmodel/stepWaits.js";
import type { Server } from "./createServer.js";

/** One row, or several equal ones, of a step to explain. */
export interface BatchRow {
  readonly kind: "prefill" | "decode";
  /** Requests (decode) or new tokens of one request (prefill), ≥ 1. */
  readonly count: number;
  /** Tokens already in the KV cache, ≥ 0. */
  readonly contextTokens: number;
}

/** The `roofserve.step/1` contract: µs over all layers, FLOPs and bytes of the step on one GPU. */
export interface StepReport {
  readonly schema: "roofserve.step/1";
  /** Time from one step's start to the next one's in steady state. */
  readonly stepUs: number;
  readonly gpuUs: number;
  /** What the CPU adds that the GPU cannot hide. */
  readonly cpuUs: number;
  readonly numTokens: number;
  /** Rows the linear layers run over: a CUDA graph's size. */
  readonly paddedTokens: number;
  readonly components: readonly {
    readonly name: string;
    readonly category: string;
    readonly us: number;
    readonly count: number;
    readonly flops: number;
    readonly bytes: number;
    readonly boundBy: KernelPrice["boundBy"] | typeof WAIT_CATEGORY;
    /** Fraction of the binding roof, (0, 1]; 0 for a wait, null where the step model does not price kernel by kernel. */
    readonly efficiency: number | null;
    readonly source: PriceSource;
    /** Where the price lies relative to the data behind it; null for a wait, which is not looked up. */
    readonly lookup: LookupKind | null;
    /** Largest |ln| by which a shape number lies beyond that data, or away from the nearest row; else 0. */
    readonly lnDistance: number;
  }[];
}

/**
 * Parses a batch like `decode:32@1024,prefill:512@0`: 32 requests that decode at a context of 1024 tokens, and one
 * that computes 512 prompt tokens after 0 cached ones (its last chunk: it samples).
 * @throws ConfigError naming every part that is malformed
 */
export function parseBatch(text: string): BatchRow[] {
  const issues: ConfigIssue[] = [];
  const rows = text.split(",").flatMap((part): BatchRow[] => {
    const match = /^\s*(prefill|decode):(\d{1,8})(?:@(\d{1,9}))?\s*$/.exec(part);
    const count = Number(match?.[2]);
    if (match === null || count < 1) {
      const allowed = "must look like decode:REQUESTS@CONTEXT or prefill:NEW_TOKENS@CONTEXT, counts ≥ 1";
      issues.push({ path: "--batch", received: JSON.stringify(part), allowed });
      return [];
    }
    return [{ kind: match[1] as BatchRow["kind"], count, contextTokens: Number(match[3] ?? 0) }];
  });
  if (issues.length > 0) throw new ConfigError(issues);
  return rows;
}

/** Prices one step of a server and takes it apart. @throws ConfigError when the server could not schedule it */
export function explainStep(server: Server, rows: readonly BatchRow[]): StepReport {
  const batch = toBatch(server, rows);
  const { numTokens, paddedTokens, components, waits } = server.stepModel.breakdown(batch);
  const gpuUs = [...components, ...waits].reduce((sum, part) => sum + part.us, 0);
  const { scheduleUs, updateUs } = server.parts.overheads;
  const engineCpuUs = scheduleUs + updateUs;
  const cpuUs = server.engine.asyncScheduling ? Math.max(0, engineCpuUs - gpuUs) : engineCpuUs;
  return {
    schema: "roofserve.step/1",
    stepUs: gpuUs + cpuUs,
    gpuUs,
    cpuUs,
    numTokens,
    paddedTokens,
    components: [
      ...components.map(({ operator, us, price, lookup, efficiency }) => ({
        name: operator.name,
        category: operator.dims.category,
        us,
        count: operator.count,
        flops: operator.flops * operator.count,
        bytes: operatorBytes(operator) * operator.count,
        boundBy: price.boundBy,
        efficiency,
        source: price.source,
        lookup: lookup.kind,
        lnDistance: lookup.lnDistance,
      })),
      ...waits.map(({ name, us, count }) => ({
        name,
        category: WAIT_CATEGORY,
        us,
        count,
        flops: 0,
        bytes: 0,
        boundBy: WAIT_CATEGORY,
        efficiency: 0,
        source: "modelled" as const,
        lookup: null,
        lnDistance: 0,
      })),
    ],
  };
}

function toBatch(server: Server, rows: readonly BatchRow[]): ScheduledBatch {
  const numRequests = rows.reduce((sum, row) => sum + (row.kind === "decode" ? row.count : 1), 0);
  // Before a batch of any size the user cares to write is laid out in memory.
  checkLimits(server, rows, numRequests);
  const batch = new ScheduledBatch(numRequests);
  for (const { kind, count, contextTokens } of rows) {
    if (kind === "prefill") batch.push(count, contextTokens, false);
    else for (let i = 0; i < count; i++) batch.push(1, contextTokens, true);
  }
  batch.numSampled = batch.numRequests;
  return batch;
}

function checkLimits(server: Server, rows: readonly BatchRow[], numRequests: number): void {
  const { maxNumSeqs, maxNumBatchedTokens, maxModelLen } = server.engine;
  const numTokens = rows.reduce((sum, row) => sum + row.count, 0);
  const longest = Math.max(...rows.map((row) => row.contextTokens + (row.kind === "prefill" ? row.count : 1)));
  const issues: ConfigIssue[] = [];
  const limit = (what: string, value: number, max: number, option: string) => {
    if (value > max)
      issues.push({ path: "--batch", received: `${value} ${what}`, allowed: `at most ${max} (${option})` });
  };
  limit("requests", numRequests, maxNumSeqs, "--max-num-seqs");
  limit("tokens", numTokens, maxNumBatchedTokens, "--max-num-batched-tokens");
  limit("tokens in one sequence", longest, maxModelLen, "--max-model-len");
  if (issues.length > 0) throw new ConfigError(issues);
}
