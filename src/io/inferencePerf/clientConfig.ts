import * as z from "zod";
import { checkData, readDataText } from "../dataFile/dataFile.js";
import { parseYaml } from "../structuredFile.js";

const positive = z.number().int().min(1).max(1e9);
const stageSchema = z.object({
  rate: z.number().min(0).nullish(),
  duration: z.number().min(0).nullish(),
  num_requests: positive.nullish(),
  concurrency_level: positive.nullish(),
});

const clientConfigSchema = z.object({
  data: z.object({
    type: z.string(),
    shared_prefix: z
      .object({
        num_groups: positive.nullish(),
        num_unique_system_prompts: positive.nullish(),
        num_prompts_per_group: positive.nullish(),
        num_users_per_system_prompt: positive.nullish(),
        system_prompt_len: z.number().int().min(0).nullish(),
        question_len: z.number().int().min(0).nullish(),
        output_len: positive.nullish(),
        enable_multi_turn_chat: z.boolean().nullish(),
      })
      .nullish(),
  }),
  load: z.object({
    type: z.string().nullish(),
    stages: z.array(stageSchema).nullish(),
    request_timeout: z.number().positive().nullish(),
  }),
  server: z.object({ model_name: z.string().nullish(), ignore_eos: z.boolean().nullish() }).nullish(),
});

/** One part of the client's plan. */
export interface PlannedStage {
  readonly requestsPerS: number | null;
  /** Requests it sends; null when the plan does not fix it. */
  readonly numRequests: number | null;
  /** Requests in flight at most, for a closed loop; else null. */
  readonly concurrency: number | null;
}

/** What the client really did: the resolved config it wrote beside its results. */
export interface ClientConfig {
  /** Prompts that are cycled in order; null when prompts are not a cycled set. */
  readonly numPrompts: number | null;
  readonly systemPromptTokens: number;
  /** The length every output really has (the server ignores EOS); null when it varies. */
  readonly outputTokens: number | null;
  readonly isMultiTurn: boolean;
  readonly stages: readonly PlannedStage[];
  readonly requestTimeoutS: number | null;
  readonly model: string | null;
}

/** @throws DataFileError */
export function readClientConfig(file: string): ClientConfig {
  const text = readDataText(
    file,
    "it is the client's resolved config and the only file that says which prompts and output lengths really ran",
  );
  const config = checkData(clientConfigSchema, parseYaml(text, file), file, "copy results/config.yaml of the run");
  const shared = config.data.type === "shared_prefix" ? config.data.shared_prefix : null;
  const groups = shared?.num_groups ?? shared?.num_unique_system_prompts ?? null;
  const perGroup = shared?.num_prompts_per_group ?? shared?.num_users_per_system_prompt ?? null;
  return {
    numPrompts: groups === null || perGroup === null ? null : groups * perGroup,
    systemPromptTokens: shared?.system_prompt_len ?? 0,
    outputTokens: config.server?.ignore_eos === false ? null : (shared?.output_len ?? null),
    isMultiTurn: shared?.enable_multi_turn_chat ?? false,
    stages: (config.load.stages ?? []).map(plannedStage),
    requestTimeoutS: config.load.request_timeout ?? null,
    model: config.server?.model_name ?? null,
  };
}

function plannedStage(stage: z.output<typeof stageSchema>): PlannedStage {
  const timed = stage.rate != null && stage.duration != null ? Math.floor(stage.rate * stage.duration) : null;
  return {
    requestsPerS: stage.rate ?? null,
    numRequests: stage.num_requests ?? timed,
    concurrency: stage.concurrency_level ?? null,
  };
}
