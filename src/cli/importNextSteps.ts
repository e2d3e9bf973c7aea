import { existsSync } from "node:fs";
import { join } from "node:path";
import { CHARACTERIZATION_FOLDER, folderOfGpu } from "../io/benchData/tableFiles.js";
import { shellWord } from "../io/shellWord.js";

/** What an import leaves to do. */
export interface ImportedSet {
  /** The measured folder; null where it was a database of others. */
  readonly source: string | null;
  readonly out: string;
  /** Each with what `--gpu` calls it: its id, or the file of its spec. */
  readonly gpus: readonly { readonly id: string; readonly name: string }[];
}

/** Commands that use what was imported, ready to be pasted; each line ends with a newline. */
export function importNextSteps({ source, out, gpus }: ImportedSet): string {
  const set = shellWord(out);
  return gpus
    .flatMap(({ id, name }) => {
      const run = `roofserve run -g ${shellWord(name)} --bench-data ${set}`;
      if (source === null) return [run];
      const steps = join(source, "whole_step", `${folderOfGpu(id)}.json`);
      const memory = `${folderOfGpu(id)}-memory.json`;
      return [
        run,
        ...(existsSync(steps) ? [`roofserve evaluate ${shellWord(steps)} --bench-data ${set}`] : []),
        ...(existsSync(join(source, CHARACTERIZATION_FOLDER, folderOfGpu(id)))
          ? [`roofserve characterize ${shellWord(source)} -g ${shellWord(name)} --out ${memory}`]
          : []),
      ];
    })
    .map((command) => `next: ${command}\n`)
    .join("");
}
