import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { importNextSteps } from "../../../src/cli/importNextSteps.js";
import { temporaryFolder } from "../../reference/temporaryFile.js";

const { folder } = temporaryFolder();
const h200 = { id: "H200", name: "H200" };

describe("what to do after an import", () => {
  it("is to run with the set, for each GPU by the name that --gpu knows", () => {
    const mine = { id: "MINE", name: "specs/mine.json" };
    expect(importNextSteps({ source: null, out: "tables", gpus: [h200, mine] })).toBe(
      "next: roofserve run -g H200 --bench-data tables\nnext: roofserve run -g specs/mine.json --bench-data tables\n",
    );
  });

  it("is to judge and characterise with what the folder has, and with nothing that it has not", () => {
    expect(importNextSteps({ source: folder, out: "tables", gpus: [h200] }).split("\n")).toHaveLength(2);
    mkdirSync(join(folder, "whole_step"));
    writeFileSync(join(folder, "whole_step/h200.json"), "{}");
    mkdirSync(join(folder, "characterization/h200"), { recursive: true });
    expect(
      importNextSteps({ source: folder, out: "tables", gpus: [h200] })
        .split("\n")
        .slice(1),
    ).toEqual([
      `next: roofserve evaluate ${folder}/whole_step/h200.json --bench-data tables`,
      `next: roofserve characterize ${folder} -g H200 --out h200-memory.json`,
      "",
    ]);
  });

  it("quotes what a shell would take for several words or for something else", () => {
    const of = (out: string) => importNextSteps({ source: null, out, gpus: [h200] }).split("--bench-data ")[1];
    expect(of("my tables")).toBe("'my tables'\n");
    expect(of("it's $HOME")).toBe("'it'\\''s $HOME'\n");
    expect(of("../a/b-1.2_c")).toBe("../a/b-1.2_c\n");
  });
});
