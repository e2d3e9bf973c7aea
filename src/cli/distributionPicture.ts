import { sparkline } from "./sparkline.js";

/** Columns of a picture: narrow enough to stand beside its ends on one line of a terminal. */
const NUM_COLUMNS = 40;
/** Fewer values than this make no shape. */
const FEWEST_VALUES = 20;

/**
 * A histogram as one line of text, its columns equally wide on a logarithmic axis, because latencies spread over
 * decades: `17.4 ▂▆█▅▃▂▁▁ 385`. The tallest bar is the fullest column; an empty column stays blank.
 * @param values > 0; NaN is left out
 * @returns null when there are too few values, or they are all equal
 */
export function distributionPicture(values: ArrayLike<number>): string | null {
  let numShown = 0;
  let low = Number.POSITIVE_INFINITY;
  let high = 0;
  for (let i = 0; i < values.length; i++) {
    const value = values[i] as number;
    if (!isShown(value)) continue;
    numShown++;
    if (value < low) low = value;
    if (value > high) high = value;
  }
  if (numShown < FEWEST_VALUES || high <= low) return null;
  const counts = new Array<number>(NUM_COLUMNS).fill(0);
  const columnsPerE = NUM_COLUMNS / Math.log(high / low);
  for (let i = 0; i < values.length; i++) {
    const value = values[i] as number;
    if (!isShown(value)) continue;
    const column = Math.min(NUM_COLUMNS - 1, Math.floor(Math.log(value / low) * columnsPerE));
    counts[column] = (counts[column] ?? 0) + 1;
  }
  return sparkline(counts, Math.max(...counts));
}

function isShown(value: number): boolean {
  return value > 0 && Number.isFinite(value);
}
