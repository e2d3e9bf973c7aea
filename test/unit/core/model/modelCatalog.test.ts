import { existsSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { ConfigError } from "../../../../src/core/errors/simulationError.js";
import { parseModelFile, resolveModelId } from "../../../../src/core/model/modelCatalog.js";
import { parseHfConfig } from "../../../../src/core/model/parseHfConfig.js";
import { builtIn, builtInModels, readJson, referenceFolder } from "./builtInModels.js";

describe("built-in models", () => {
  it("have unique names", () => {
    const names = builtInModels.flatMap((model) => [model.id, ...model.aliases]).map((name) => name.toLowerCase());
    expect(new Set(names).size).toBe(names.length);
  });

  it.each([
    ["meta-llama/llama-3.1-8b", "meta-llama/Llama-3.1-8B"],
    ["meta-llama/Meta-Llama-3.1-8B-Instruct", "meta-llama/Llama-3.1-8B-Instruct"],
    ["Llama-2-70b-chat-hf", "meta-llama/Llama-2-70b-chat-hf"],
    ["codellama/CodeLlama-34b-Instruct-hf", "codellama/CodeLlama-34b-Instruct-hf"],
    ["google/gemma-2-9b-it", "google/gemma-2-9b-it"],
    ["mistralai/Mixtral-8x7B-Instruct-v0.1", "mistralai/Mixtral-8x7B-Instruct-v0.1"],
    ["Qwen/Qwen3-14B", "Qwen/Qwen3-14B"],
  ])("%s is %s", (text, id) => {
    expect(resolveModelId(text, builtInModels).id).toBe(id);
  });

  it("resolve an unlisted -Instruct variant to its base, with sampling unknown", () => {
    const model = resolveModelId("01-ai/Yi-34B-Instruct", builtInModels);
    expect(model.id).toBe("01-ai/Yi-34B");
    expect(model.architecture.defaultSampling).toBeNull();
  });

  it("suggest the nearest id for a misspelt one, and none for nonsense", () => {
    expect(() => resolveModelId("meta-llama/Lama-3.1-8B", builtInModels)).toThrow(
      /^--model: got "meta-llama\/Lama-3.1-8B".*did you mean meta-llama\/Llama-3.1-8B\?/,
    );
    expect(() => resolveModelId("q", builtInModels)).toThrow(/^(?!.*did you mean)/);
    expect(() => resolveModelId("q", builtInModels)).toThrow(ConfigError);
  });

  it("carry the sampling defaults of their checkpoint", () => {
    expect(builtIn("meta-llama/Llama-2-7b-hf").defaultSampling).toEqual({ topP: 0.9, topK: null });
    expect(builtIn("Qwen/Qwen3-8B").defaultSampling).toEqual({ topP: 0.95, topK: 20 });
    expect(builtIn("Qwen/Qwen2.5-7B-Instruct").defaultSampling).toEqual({ topP: 0.8, topK: 20 });
    for (const id of ["codellama/CodeLlama-34b-hf", "mistralai/Mixtral-8x7B-v0.1", "Qwen/Qwen2.5-7B"]) {
      expect(builtIn(id).defaultSampling).toEqual({ topP: null, topK: null });
    }
  });

  it("share the base's shape, except where a variant says otherwise", () => {
    expect(builtIn("meta-llama/Llama-3.1-8B-Instruct").layerGroups).toEqual(
      builtIn("meta-llama/Llama-3.1-8B").layerGroups,
    );
    expect(builtIn("mistralai/Mistral-7B-v0.1").layerGroups[0]?.attention.slidingWindow).toBe(4096);
    expect(builtIn("mistralai/Mistral-7B-Instruct-v0.2").layerGroups[0]?.attention.slidingWindow).toBe(0);
  });
});

describe("parseModelFile", () => {
  it("lists the problems of a file with paths", () => {
    const file = { id: "a/b", config: {}, defaultSampling: { topP: 2, topK: null }, extra: 1 };
    const message = (() => {
      try {
        parseModelFile(file, "m.json");
      } catch (error) {
        return (error as Error).message;
      }
      return "";
    })();
    for (const path of ["m.json.source", "m.json.defaultSampling.topP", "m.json.extra"])
      expect(message).toContain(path);
  });
});

describe.skipIf(referenceFolder === null)("built-in models against published configs", () => {
  it.each([
    ["meta-llama/Llama-2-7b-hf", "Llama-2-7b-hf.json"],
    ["meta-llama/Llama-2-70b-hf", "Llama-2-70b-hf.json"],
    ["codellama/CodeLlama-34b-Instruct-hf", "CodeLlama-34b-Instruct-hf.json"],
    ["mistralai/Mixtral-8x7B-v0.1", "Mixtral-8x7B-v0.1.json"],
    ["mistralai/Mixtral-8x22B-v0.1", "mistralai__Mixtral-8x22B-v0.1.json"],
    ["meta-llama/Llama-3.1-8B", "meta-llama__Meta-Llama-3.1-8B.json"],
    ["meta-llama/Llama-3.1-70B", "meta-llama__Meta-Llama-3.1-70B.json"],
    ["meta-llama/Llama-3.1-405B", "meta-llama__Meta-Llama-3.1-405B.json"],
    ["mistralai/Mistral-Nemo-Instruct-2407", "mistral-nemo-instruct-2407.json"],
    ["Qwen/Qwen2.5-7B-Instruct", "qwen2.5-7b-instruct.json"],
    ["Qwen/Qwen3-8B", "Qwen__Qwen3-8B.json"],
    ["Qwen/Qwen3-14B", "qwen3-14b.json"],
    ["Qwen/Qwen3-32B", "Qwen__Qwen3-32B.json"],
    ["Qwen/Qwen3-30B-A3B", "Qwen__Qwen3-30B-A3B.json"],
    ["Qwen/Qwen3-235B-A22B", "Qwen__Qwen3-235B-A22B.json"],
    ["01-ai/Yi-34B", "yi-34b.json"],
  ])("%s equals %s", (id, file) => {
    const path = join(referenceFolder ?? "", "hf_configs", file);
    expect(existsSync(path)).toBe(true);
    const published = parseHfConfig(readJson(path), id, file);
    expect({ ...builtIn(id), defaultSampling: null }).toEqual(published);
  });
});
