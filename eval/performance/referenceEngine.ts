import type { Engine } from "./benchCase.js";

/**
 * The engine that the others are compared with, in the same run: request by request and block by block, without any
 * shortcut. Null while there is none; the ratio columns are then empty.
 */
export const REFERENCE_ENGINE: Engine | null = null;
