/** Shows how far a long job is, on one line of stderr that it overwrites; nothing where nobody watches. */
export function showProgress(number: number, of: number, what: string): void {
  if (process.stderr.isTTY) process.stderr.write(`\r\u001b[K${number}/${of} ${what}`);
}

/** Clears the progress line. */
export function endProgress(): void {
  if (process.stderr.isTTY) process.stderr.write("\r\u001b[K");
}
