import type { Request } from "../request/request.js";
import { byUrgency } from "./waitingQueue.js";

/** Drops from the list of requests with rows of their own who is done, or in lockstep. O(length). */
export function dropUnlisted(listed: Request[]): void {
  let numKept = 0;
  for (let i = 0; i < listed.length; i++) {
    const request = listed[i]!;
    if (!request.isDone && request.firstTick < 0) listed[numKept++] = request;
  }
  // Setting a length costs a call even where it changes nothing.
  if (numKept < listed.length) listed.length = numKept;
}

/** Takes out who deserves its place least: the last admitted, or the least urgent. Pre-condition: there is one. */
export function takeLeastDeserving(listed: Request[], isPriority: boolean): Request {
  let worst = listed.length - 1;
  if (isPriority) {
    for (let i = worst - 1; i >= 0; i--) if (byUrgency(listed[i]!, listed[worst]!) > 0) worst = i;
  }
  const victim = listed[worst]!;
  listed.copyWithin(worst, worst + 1);
  listed.length--;
  return victim;
}
