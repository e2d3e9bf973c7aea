import { closeSync, openSync, readSync } from "node:fs";
import { StringDecoder } from "node:string_decoder";

/** How much of a file is read at a time. */
const CHUNK_BYTES = 1 << 18;

/**
 * Streams the lines of a text file, whatever its length, without the line feeds and without byte order mark; a carriage
 * return stays. It waits for the disk: to hand millions of lines from promise to promise takes longer than to read them.
 */
export function* textLines(file: string): Generator<string> {
  let lineStart = "";
  let isFirst = true;
  for (const chunk of textChunks(file)) {
    const parts = chunk.split("\n");
    parts[0] = lineStart + parts[0];
    lineStart = parts.pop() as string;
    for (const part of parts) {
      yield isFirst ? withoutMark(part) : part;
      isFirst = false;
    }
  }
  yield isFirst ? withoutMark(lineStart) : lineStart;
}

function withoutMark(line: string): string {
  return line.replace(/^\uFEFF/, "");
}

function* textChunks(file: string): Generator<string> {
  const descriptor = openSync(file, "r");
  try {
    const decoder = new StringDecoder("utf8");
    const buffer = Buffer.allocUnsafe(CHUNK_BYTES);
    for (;;) {
      const numBytes = readSync(descriptor, buffer, 0, CHUNK_BYTES, null);
      yield numBytes === 0 ? decoder.end() : decoder.write(buffer.subarray(0, numBytes));
      if (numBytes === 0) return;
    }
  } finally {
    closeSync(descriptor);
  }
}
