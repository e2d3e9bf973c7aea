import { describe, expect, it } from "vitest";
import { gridAxes, withVaryHint } from "../../../src/cli/gridAxes.js";

describe("the axes of a grid", () => {
  it.each([
    ["tensorParallelSize=1,2", "engine.tensorParallelSize", [1, 2]],
    ["engine.tensorParallelSize=1", "engine.tensorParallelSize", [1]],
    ["tp=1,2", "engine.tensorParallelSize", [1, 2]],
    ["--max-num-seqs=64,null", "engine.maxNumSeqs", [64, null]],
    ["gpu=H100, L40S", "gpu", ["H100", "L40S"]],
    ["vllmVersion=0.11.0,0.15", "engine.vllmVersion", ["0.11.0", "0.15"]],
    ["enablePrefixCaching=true,false", "engine.enablePrefixCaching", [true, false]],
    ["promptTokens=100,200", "workload.data.promptTokens", [100, 200]],
    ["prompt.mean=100", "workload.data.prompt.mean", [100]],
  ])("%s", (text, path, values) => {
    expect(gridAxes([text])).toEqual([{ given: text.split("=")[0], path, flag: null, values }]);
  });

  it.each([
    ["max-seconds=10,20", "max-seconds", "workload.maxSeconds"],
    ["maxRequests=5", "max-requests", "workload.maxRequests"],
    ["workload=chat,rag", "workload", "workload"],
  ])("%s is set as its flag sets it", (text, flag, path) => {
    expect(gridAxes([text])[0]).toMatchObject({ flag, path });
  });

  it.each([
    ["maxNumSeq=1", /did you mean maxNumSeqs\?/],
    ["max-num-sqs=1", /did you mean max-num-seqs\?/],
    ["mean=1,2", /say which: workload\.data\.prompt\.mean, /],
    ["frobnicate=1", /a key is a place in the config/],
    ["rate=1,2", /give --rate 1,2,4/],
    ["seed=1,2", /give --seeds N/],
    ["data=prompt_tokens=5", /promptTokens=512,2048/],
    ["gpu", /must be a key and its values/],
    ["gpu=", /must be a key and its values/],
    ["gpu=H100,,L4", /must be a key and its values/],
    ["tp=1,2,1", /each value must come once/],
  ])("%s is refused with what to do", (text, says) => {
    expect(() => gridAxes([text])).toThrow(says);
  });

  it("are each given once", () => {
    expect(() => gridAxes(["tp=1", "tensorParallelSize=2"])).toThrow(/give each key once/);
  });
});

describe("a refusal of a flag", () => {
  const issue = (path: string, received: string) => ({ path, received, allowed: "must be a number" });

  it.each([
    ["--tensor-parallel-size", '"1,2"', "tp=1,2"],
    ["--gpu", '"H100,L4"', "gpu=H100,L4"],
    ["--max-num-seqs", '"64,128"', "max-num-seqs=64,128"],
  ])("of %s that got a list says how to give several, as --vary takes it", (path, received, vary) => {
    expect(withVaryHint(issue(path, received)).allowed).toBe(`must be a number; give several with --vary ${vary}`);
    expect(gridAxes([vary])[0]!.values).toHaveLength(2);
  });

  it.each([
    ["--tensor-parallel-size", '"two"'],
    ["--seed", '"1,2"'],
    ["--data", '"prompt_tokens=1,output_tokens=x"'],
  ])("of %s that got %s stays as it is", (path, received) => {
    expect(withVaryHint(issue(path, received))).toEqual(issue(path, received));
  });
});
