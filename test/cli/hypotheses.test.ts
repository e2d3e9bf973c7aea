import { beforeAll, describe, expect, test } from "vitest";
import { temporaryFolder } from "../reference/temporaryFile.js";
import { ensureBuilt, spawnCli } from "./builtCli.js";
import { expectRefusal } from "./cliCall.js";

const { write } = temporaryFolder();

describe("roofserve hypotheses", () => {
  beforeAll(ensureBuilt, 60_000);

  test("lists the flags it takes, and none that its protocols decide", async () => {
    const { stdout } = await spawnCli(["hypotheses", "--help"]);
    for (const flag of ["--gpu", "--bench-data", "--max-num-seqs", "--top-p", "--characterization", "--out"])
      expect(stdout).toContain(flag);
    for (const flag of ["--seed", "--step-model", "--toggle-hypotheses", "--calibration"])
      expect(stdout).not.toContain(flag);
  });

  test.for(["--seed", "--step-model", "--toggle-hypotheses", "--calibration"])("refuses %s", (flag) =>
    expectRefusal([["hypotheses", "runs", flag, "1"], 2, [flag, "--help lists the flags"]]),
  );

  test("refuses a calibration that a config file brings along", async () => {
    const config = write("config.json", JSON.stringify({ pricing: { calibration: "mine.json" } }));
    const experiment = {
      name: "a run",
      model: "meta-llama/Llama-3.1-8B",
      requests: [{ arrivalS: 0, promptTokens: 10, outputTokens: 2, ttftMs: 20, e2eMs: 30, status: "completed" }],
    };
    const run = write("run.json", JSON.stringify({ schema: "roofserve.ground-truth/1", experiments: [experiment] }));
    await expectRefusal([
      ["hypotheses", run, "--config", config],
      2,
      ["pricing.calibration", "mine.json", "leave it out"],
    ]);
  });
});
