import { mkdirSync, mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";

/** Files of an experiment by path; null leaves one out. */
export type ExperimentFiles = Readonly<Record<string, string | null>>;

const NUM_REQUESTS = 8;

/** A small sound experiment: 2 × 2 prompts, 5 output tokens, 1 request/s. */
export const SOUND_FILES: ExperimentFiles = {
  "replay.json": JSON.stringify({
    experiment: "small",
    model_id: "a/b",
    config: {
      tensor_parallelism: 2,
      max_num_seqs: 8,
      max_num_batched_tokens: 64,
      kv_blocks_total_gpu: 100,
      block_size: 16,
    },
    requests: Array.from({ length: NUM_REQUESTS }, (_, index) => ({
      index,
      arrival_time_us: index * 1_000_000,
      input_tokens: 20 + (index % 4),
      output_tokens: 3,
      prefix_group: "",
      has_error: false,
    })),
  }),
  "ground_truth.json": JSON.stringify(
    Array.from({ length: NUM_REQUESTS }, (_, index) => ({ index, has_error: false, e2e_s: 0.5, ttft_s: 0.1 })),
  ),
  "exp-config.yaml": "model: a/b\ntensor_parallelism: 2\nmax_model_len: 4096\n",
  "results/config.yaml": [
    "data: {type: shared_prefix, shared_prefix: {num_groups: 2, num_prompts_per_group: 2, output_len: 5}}",
    "load: {type: constant, stages: [{rate: 1.0, duration: 8}], request_timeout: null}",
    "server: {type: vllm, model_name: a/b, ignore_eos: true}",
  ].join("\n"),
};

/** Writes an experiment's folder: the sound one with some files replaced, added or left out. */
export function experimentFolder(changes: ExperimentFiles = {}): string {
  const folder = mkdtempSync(join(tmpdir(), "inference-perf-"));
  for (const [name, text] of Object.entries({ ...SOUND_FILES, ...changes })) {
    if (text === null) continue;
    mkdirSync(dirname(join(folder, name)), { recursive: true });
    writeFileSync(join(folder, name), text);
  }
  return folder;
}

/** A sound JSON file with something changed. */
export function changedJson(name: string, change: (data: ReturnType<typeof JSON.parse>) => void): ExperimentFiles {
  const data = JSON.parse(SOUND_FILES[name] as string);
  change(data);
  return { [name]: JSON.stringify(data) };
}
