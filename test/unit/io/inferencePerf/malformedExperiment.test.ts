import { describe, expect, it } from "vitest";
import { DataFileError } from "../../../../src/core/errors/simulationError.js";
import { readInferencePerfExperiment } from "../../../../src/io/inferencePerf/inferencePerfExperiment.js";
import { changedJson, type ExperimentFiles, experimentFolder, SOUND_FILES } from "./inferencePerfFolder.js";

type Json = ReturnType<typeof JSON.parse>;
const replay = (change: (data: Json) => void): ExperimentFiles => changedJson("replay.json", change);
const truth = (change: (data: Json) => void): ExperimentFiles => changedJson("ground_truth.json", change);
const summary = (text: string): ExperimentFiles => ({ "results/summary_lifecycle_metrics.json": text });

/** What is wrong, the files, and what the message must name. */
const CASES: [string, ExperimentFiles, RegExp][] = [
  ["no replay.json", { "replay.json": null }, /replay\.json: no such file; .*arrivals/],
  ["no client config", { "results/config.yaml": null }, /results\/config\.yaml: no such file; .*resolved config/],
  ["an empty replay.json", { "replay.json": "" }, /replay\.json/],
  [
    "a truncated replay.json",
    { "replay.json": (SOUND_FILES["replay.json"] as string).slice(0, 200) },
    /replay\.json.*not valid JSON/,
  ],
  ["a replay.json that is a list", { "replay.json": "[]" }, /replay\.json: got \[\]; must be an object/],
  [
    "no requests",
    replay((d) => {
      d.requests = [];
    }),
    /column requests.*at least one request/,
  ],
  [
    "requests that are text",
    replay((d) => {
      d.requests = "many";
    }),
    /column requests: got "many"; must be a list/,
  ],
  [
    "a negative arrival",
    replay((d) => {
      d.requests[3].arrival_time_us = -1;
    }),
    /requests\[3\]\.arrival_time_us: got -1/,
  ],
  [
    "an arrival in text",
    replay((d) => {
      d.requests[3].arrival_time_us = "soon";
    }),
    /requests\[3\]\.arrival_time_us: got "soon"; must be a number/,
  ],
  [
    "fractional tokens",
    replay((d) => {
      d.requests[0].input_tokens = 2.5;
    }),
    /requests\[0\]\.input_tokens: got 2\.5; must be an integer/,
  ],
  [
    "negative tokens",
    replay((d) => {
      d.requests[0].output_tokens = -7;
    }),
    /requests\[0\]\.output_tokens: got -7/,
  ],
  [
    "a doubled index",
    replay((d) => {
      d.requests[2].index = 1;
    }),
    /requests\[2\]\.index: index 1 appears twice/,
  ],
  [
    "a TP of 0",
    replay((d) => {
      d.config.tensor_parallelism = 0;
    }),
    /config\.tensor_parallelism: got 0/,
  ],
  [
    "an error flag in text",
    replay((d) => {
      d.requests[1].has_error = "no";
    }),
    /requests\[1\]\.has_error: got "no"; must be true or false/,
  ],
  [
    "a ground truth without one request",
    truth((d) => {
      d.pop();
    }),
    /ground_truth\.json: no row for request 7/,
  ],
  [
    "a ground truth with one too many",
    truth((d) => {
      d.push({ ...d[0], index: 99 });
    }),
    /ground_truth\.json: holds 9 requests, replay\.json 8/,
  ],
  [
    "a success without latency",
    truth((d) => {
      d[2].e2e_s = null;
    }),
    /column \[2\]\.e2e_s: missing/,
  ],
  [
    "a negative latency",
    truth((d) => {
      d[2].ttft_s = -0.1;
    }),
    /\[2\]\.ttft_s: got -0\.1/,
  ],
  ["broken YAML", { "results/config.yaml": "data: {type: [\n" }, /config\.yaml, row \d+: is not valid YAML/],
  ["a client config without load", { "results/config.yaml": "data: {type: random}\n" }, /config\.yaml, column load/],
  [
    "an output length of 0",
    { "results/config.yaml": "data: {type: shared_prefix, shared_prefix: {output_len: 0}}\nload: {}\n" },
    /data\.shared_prefix\.output_len: got 0/,
  ],
  [
    "a stage rate in text",
    { "results/config.yaml": "data: {type: random}\nload: {stages: [{rate: fast}]}\n" },
    /load\.stages\[0\]\.rate: got "fast"/,
  ],
  [
    "a server file with a negative limit",
    { "exp-config.yaml": "model: a/b\nmax_num_seqs: -2\n" },
    /exp-config\.yaml, column max_num_seqs: got -2/,
  ],
  ["a server file that is a list", { "exp-config.yaml": "- a\n- b\n" }, /exp-config\.yaml/],
  [
    "no model anywhere",
    {
      ...replay((d) => {
        delete d.model_id;
      }),
      "exp-config.yaml": null,
      "results/config.yaml": "data: {type: random}\nload: {}\n",
    },
    /exp-config\.yaml, column model: nothing says which model/,
  ],
  [
    "aggregates without counts",
    summary('{"load_summary": {}, "successes": {"count": 1}, "failures": {"count": 0}}'),
    /summary_lifecycle_metrics\.json, column load_summary\.count/,
  ],
  ["aggregates cut short", summary('{"load_summary": {'), /summary_lifecycle_metrics\.json.*not valid JSON/],
];

describe("a malformed inference-perf folder", () => {
  it.each(CASES)("with %s is refused with file, place and remedy", (_name, files, expected) => {
    const act = () => readInferencePerfExperiment(experimentFolder(files));
    expect(act).toThrowError(DataFileError);
    expect(act).toThrowError(expected);
  });
});
