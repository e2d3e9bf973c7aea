import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

/** Folder of package.json: `src/io` and `dist/io` lie equally deep below it. */
export const PACKAGE_ROOT = join(dirname(fileURLToPath(import.meta.url)), "..", "..");
