const SIGNALS = ["SIGINT", "SIGTERM"] as const;

/**
 * Does `work` until it ends or the user stops it (Ctrl-C): then `onStop` may say what is kept, and the process ends by
 * that signal, as its callers expect. A second signal does not wait for that.
 * @param release is called in either case, before the end: threads and files
 */
export async function untilInterrupted<T>(
  work: Promise<T>,
  { release, onStop }: { release: () => Promise<void>; onStop: () => void },
): Promise<T> {
  let stop: (signal: NodeJS.Signals) => void = () => {};
  const stopped = new Promise<{ readonly signal: NodeJS.Signals }>((resolve) => {
    stop = (signal) => resolve({ signal });
  });
  for (const signal of SIGNALS) process.once(signal, stop);
  try {
    const done = await Promise.race([work.then((value) => ({ value })), stopped]);
    if ("value" in done) return done.value;
    // What is under way rejects when its threads end; nobody waits for it any more.
    work.catch(() => {});
    await release();
    onStop();
    for (const signal of SIGNALS) process.removeListener(signal, stop);
    process.kill(process.pid, done.signal);
    return await new Promise<never>(() => {});
  } finally {
    for (const signal of SIGNALS) process.removeListener(signal, stop);
    await release();
  }
}
