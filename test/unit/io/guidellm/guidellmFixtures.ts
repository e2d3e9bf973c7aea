import { type GuidellmReport, parseGuidellmReport } from "../../../../src/io/guidellm/guidellmReport.js";

/** Parses a fixture as if it had been read from `fixture.json`. */
export function parse(report: unknown): GuidellmReport {
  return parseGuidellmReport(report, "fixture.json");
}

// biome-ignore lint/suspicious/noExplicitAny: tests break these objects in ways no type allows
export type Fixture = any;

const strategy = { type_: "constant", rate: 2, max_concurrency: 512 };
const window = { start_time: 1000, end_time: 1010 };

/** One successful request, times as every layout's fixture has them. */
function request(): Fixture {
  return {
    request_id: "a",
    response_id: "cmpl-a",
    request_args: null,
    info: {
      status: "completed",
      error: null,
      timings: {
        targeted_start: 1000.5,
        resolve_start: 1000.4,
        request_start: 1000.5,
        first_token_iteration: 1000.75,
        last_token_iteration: 1001.75,
        request_iterations: 13,
        token_iterations: 11,
        request_end: 1001.76,
        resolve_end: 1001.77,
      },
    },
    input_metrics: { text_tokens: 100, total_tokens: 100 },
    output_metrics: { text_tokens: 11, total_tokens: 11 },
  };
}

/** Made by hand after the 0.3 source: everything flat, settings under `args`. */
export function reportOf03(): Fixture {
  return {
    benchmarks: [
      {
        type_: "generative_benchmark",
        args: { strategy, strategy_index: 0, profile: {} },
        run_stats: {},
        metrics: {},
        request_totals: { successful: 1, incomplete: 0, errored: 0, total: 1 },
        requests: {
          successful: [
            {
              type_: "generative_text_response",
              request_id: "a",
              start_time: 1000.5,
              end_time: 1001.76,
              first_token_time: 1000.75,
              last_token_time: 1001.75,
              prompt_tokens: 100,
              output_tokens: 11,
              scheduler_info: {},
            },
          ],
          incomplete: [],
          errored: [],
        },
        ...window,
      },
    ],
  };
}

export function reportOf04(): Fixture {
  return {
    args: { data: ["{'prefix_tokens': 64, 'prompt_tokens': 36}"] },
    benchmarks: [
      {
        config: { strategy, requests: {}, backend: {} },
        metrics: {},
        requests: { successful: [request()], incomplete: [], errored: [] },
        ...window,
      },
    ],
  };
}

export function reportOf07(): Fixture {
  const report = reportOf04();
  const { args: _args, ...rest } = report;
  rest.benchmarks[0].config.strategy = { kind: "constant", rate: 2, max_concurrency: 10240 };
  return { metadata: { version: 2, guidellm_version: "0.7.1" }, config: { spec: { data: [] } }, ...rest };
}
