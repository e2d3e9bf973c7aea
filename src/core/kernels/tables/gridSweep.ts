/** A dense grid stored row-major: the last axis varies fastest. */
export interface GridShape {
  readonly lengths: readonly number[];
  readonly strides: readonly number[];
  readonly numCells: number;
}

export function gridShape(lengths: readonly number[]): GridShape {
  const strides = new Array<number>(lengths.length).fill(1);
  for (let axis = lengths.length - 2; axis >= 0; axis -= 1) strides[axis] = strides[axis + 1]! * lengths[axis + 1]!;
  return { lengths, strides, numCells: lengths.reduce((product, length) => product * length, 1) };
}

/** Each cell becomes the least value among itself and every cell that is larger along any axes; NaN is no value. */
export function sweepMinFromAbove(values: Float64Array, shape: GridShape): void {
  forEachNeighbour(values, shape, -1, (value, above) => (above < value || Number.isNaN(value) ? above : value));
}

/** Each cell becomes the largest value among itself and every cell that is smaller along any axes; NaN is no value. */
export function sweepMaxFromBelow(values: Float64Array, shape: GridShape): void {
  forEachNeighbour(values, shape, 1, (value, below) => (below > value || Number.isNaN(value) ? below : value));
}

/** Axis by axis, replaces each value by `combine(value, neighbour)` in the direction of the sweep. */
function forEachNeighbour(
  values: Float64Array,
  { lengths, strides, numCells }: GridShape,
  direction: 1 | -1,
  combine: (value: number, neighbour: number) => number,
): void {
  for (let axis = 0; axis < lengths.length; axis += 1) {
    const stride = strides[axis]!;
    const length = lengths[axis]!;
    const first = direction === 1 ? 0 : numCells - 1;
    for (let step = 0; step < numCells; step += 1) {
      const cell = first + direction * step;
      const position = Math.floor(cell / stride) % length;
      if (position === (direction === 1 ? 0 : length - 1)) continue;
      values[cell] = combine(values[cell]!, values[cell - direction * stride]!);
    }
  }
}
