import { simulatePlain } from "../../test/reference/plainEngine/simulatePlain.js";
import type { Engine } from "./benchCase.js";

/**
 * The engine that the others are compared with, in the same run: request by request and block by block, without any
 * shortcut. It shares the step model, so what is compared is the engine and its KV cache.
 */
export const REFERENCE_ENGINE: Engine = simulatePlain;
