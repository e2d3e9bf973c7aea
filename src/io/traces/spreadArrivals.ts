/**
 * Spreads runs of equal arrivals evenly over the trace's time resolution (the smallest gap between different
 * arrivals), so that none passes the next distinct one. Mooncake's conversation trace is stamped in steps of 3 s.
 * @param arrivals sorted, µs
 * @returns integer µs, still sorted; unchanged when all arrivals are equal
 */
export function spreadEqualArrivals(arrivals: readonly number[]): number[] {
  let resolutionUs = Number.POSITIVE_INFINITY;
  for (let i = 1; i < arrivals.length; i++) {
    const gapUs = arrivals[i]! - arrivals[i - 1]!;
    if (gapUs > 0 && gapUs < resolutionUs) resolutionUs = gapUs;
  }
  if (!Number.isFinite(resolutionUs)) return [...arrivals];
  const spread: number[] = [];
  for (let start = 0; start < arrivals.length; ) {
    let end = start + 1;
    while (end < arrivals.length && arrivals[end] === arrivals[start]) end++;
    for (let i = start; i < end; i++) {
      spread.push(arrivals[start]! + Math.floor(((i - start) * resolutionUs) / (end - start)));
    }
    start = end;
  }
  return spread;
}
