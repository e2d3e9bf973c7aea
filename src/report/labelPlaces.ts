/**
 * Moves labels apart that stand below each other, each as little as its neighbours allow; their order stays.
 * @param wantedPx where each would stand, in any order
 * @returns parallel to `wantedPx`; within `fromPx` and `toPx` where there is room for all
 */
export function labelPlaces(wantedPx: readonly number[], gapPx: number, fromPx: number, toPx: number): number[] {
  const order = wantedPx.map((_, i) => i).sort((a, b) => wantedPx[a]! - wantedPx[b]!);
  const placed = order.map((i) => Math.max(fromPx, wantedPx[i]!));
  for (let i = 1; i < placed.length; i++) placed[i] = Math.max(placed[i]!, placed[i - 1]! + gapPx);
  let limitPx = toPx;
  for (let i = placed.length - 1; i >= 0 && placed[i]! > limitPx; i--) {
    placed[i] = limitPx;
    limitPx -= gapPx;
  }
  const places = new Array<number>(wantedPx.length);
  order.forEach((index, i) => {
    places[index] = placed[i]!;
  });
  return places;
}
