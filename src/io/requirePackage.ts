import { createRequire } from "node:module";

/** Loads a package at its first use: for what few runs need, in functions that cannot wait for an `import()`. */
export const requirePackage: (name: string) => unknown = createRequire(import.meta.url);
