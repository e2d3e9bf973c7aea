import { describe, expect, it } from "vitest";
import { parseConfig } from "../../../../src/core/config/parseConfig.js";
import { runConfigSchema } from "../../../../src/core/engine/runConfig.js";
import type { StepObserver } from "../../../../src/core/engine/runResult.js";
import { simulate } from "../../../../src/core/engine/simulate.js";
import { observeAll } from "../../../../src/core/engine/stepObservers.js";
import { loadDeployment } from "../../../../src/io/loadDeployment.js";
import { BUSY } from "../analysis/loggedRun.js";

const config = parseConfig(runConfigSchema, BUSY, "");
const deployment = loadDeployment(config);

/** Notes what it is told. */
function watcher(name: string, told: string[]): StepObserver {
  return {
    onStart: ({ engine }, { engine: resolved }) => {
      expect(resolved).toEqual(engine);
      told.push(`${name} start`);
    },
    onStep: (_step, startUs) => told.push(`${name} ${startUs}`),
  };
}

describe("several observers of one run", () => {
  it("are each told what one alone is told, in their order", () => {
    const [alone, both]: [string[], string[]] = [[], []];
    simulate(deployment, config, { observer: watcher("a", alone) });
    simulate(deployment, config, { observer: observeAll([watcher("a", both), watcher("b", both)])! });
    expect(alone[0]).toBe("a start");
    expect(alone.length).toBeGreaterThan(10);
    expect(both).toEqual(alone.flatMap((line) => [line, line.replace("a", "b")]));
  });

  it("may leave the start out", () => {
    const steps: number[] = [];
    const plain: StepObserver = { onStep: (_step, startUs) => steps.push(startUs) };
    simulate(deployment, config, { observer: observeAll([plain, plain])! });
    expect(steps.length).toBeGreaterThan(10);
  });

  it("are nothing to the engine when there is none, and themselves when there is one", () => {
    expect(observeAll([])).toBeNull();
    const one = watcher("a", []);
    expect(observeAll([one])).toBe(one);
  });
});
