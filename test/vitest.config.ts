import { defineConfig } from "vitest/config";

export default defineConfig({
  test: {
    root: new URL("..", import.meta.url).pathname,
    include: ["test/**/*.test.ts"],
    globalSetup: "test/reference/temporaryRoot.ts",
    testTimeout: 60_000,
    // A hook may have to build the command line.
    hookTimeout: 120_000,
    // Files of a worker share its modules: the core keeps no state, and loading it once per file cost a minute.
    isolate: false,
    env: { TZ: "UTC" },
    coverage: { include: ["src/core/**"], reporter: ["text-summary"] },
  },
});
