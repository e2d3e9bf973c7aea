import { join } from "node:path";
import { expect, it } from "vitest";
import { readGuidellmExperiment } from "../../../../src/io/guidellm/guidellmExperiment.js";
import { guidellmArgs, guidellmStrategy } from "../../../../src/io/guidellm/guidellmSettings.js";
import { guidellmReportText } from "../../../../src/io/guidellm/guidellmWriter.js";
import { writeFileAtomically } from "../../../../src/io/results/atomicFile.js";
import { temporaryFolder } from "../../../reference/temporaryFile.js";
import { smallConfig } from "../../core/analysis/sweep/smallSweep.js";

const { folder } = temporaryFolder();

it("a file of ours says which server was simulated, in vLLM's words, and its reader takes it from there", () => {
  const engine = {
    tensorParallelSize: 2,
    maxNumSeqs: 33,
    maxNumBatchedTokens: 4096,
    blockSize: 32,
    vllmVersion: "0.11.0",
  };
  const profile = { kind: "constant", rate: 3 };
  const config = smallConfig(profile, { gpu: "L40S", engine: { ...engine, numGpuBlocksOverride: 900 } });
  const args = guidellmArgs(config);
  expect(args).toMatchObject({ model: config.model, profile: "constant", rate: [3], random_seed: config.seed });
  expect(args.backend_kwargs).toMatchObject({ gpu: "L40S", tensor_parallel_size: 2, max_num_batched_tokens: 4096 });
  const file = join(folder, "guidellm.json");
  const simulator = { name: "roofserve", version: "0", seed: config.seed };
  const text = guidellmReportText({ records: [], specs: [], strategy: guidellmStrategy(config), args, simulator });
  writeFileAtomically(file, text);
  const experiment = readGuidellmExperiment(file);
  expect(experiment).toMatchObject({ gpu: "L40S", model: config.model, tensorParallelSize: 2, notes: [] });
  const { numGpuBlocks, maxNumSeqs, maxNumBatchedTokens, blockSize, vllmVersion } = experiment.engine;
  expect({ tensorParallelSize: 2, maxNumSeqs, maxNumBatchedTokens, blockSize, vllmVersion }).toEqual(engine);
  expect(numGpuBlocks).toBe(900);
});
