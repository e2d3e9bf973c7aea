import { describe, expect, it } from "vitest";
import { parseSyntheticData } from "../../src/core/workload/parseSyntheticData.js";
import { SyntheticSource } from "../../src/core/workload/syntheticSource.js";
import { sharedFile, sharedText } from "../reference/sharedFile.js";

const RESULTS = "ground_truth/guidellm/jan20-codellama-prefill-1/guidellm-results.json";

interface RecordedRequest {
  readonly input_metrics: { readonly total_tokens: number };
  readonly output_metrics: { readonly total_tokens: number };
}

describe.skipIf(sharedFile(RESULTS) === null)("GuideLLM's synthetic lengths (needs ../shared)", () => {
  it("gives all 400 prompt and output lengths of a real sweep with seed 42", () => {
    const report = JSON.parse(sharedText(RESULTS)) as {
      benchmarks: { requests: { successful: RecordedRequest[] } }[];
    };
    const data = parseSyntheticData(
      "prefix_tokens=1024,prompt_tokens=2048,prompt_tokens_stdev=500,prompt_tokens_min=100,prompt_tokens_max=4096," +
        "output_tokens=32,output_tokens_stdev=16,output_tokens_min=1,output_tokens_max=64",
    );
    expect(report.benchmarks).toHaveLength(5);
    report.benchmarks.forEach((benchmark, index) => {
      const source = new SyntheticSource({ ...data, promptOffsetTokens: -2 }, 42, index);
      const drawn = Array.from({ length: 40 }, () => {
        const draft = source.next().draft;
        return [draft.numPromptTokens, draft.maxTokens];
      });
      const recorded = benchmark.requests.successful.map((request) => [
        request.input_metrics.total_tokens,
        request.output_metrics.total_tokens,
      ]);
      // Worker processes send requests in another order than they were drawn.
      const inOrder = (pairs: number[][]) => pairs.map(String).sort();
      expect(inOrder(drawn)).toEqual(inOrder(recorded));
    });
  });
});
