/** Options of `fitLogParameters`. */
export interface LogFitOptions {
  readonly maxIterations?: number;
  /** Residuals beyond this many ln units count linearly, so that outliers do not steer the fit. */
  readonly huberLn?: number;
  /** Pull towards the starting values, in residual units per ln unit. */
  readonly priorWeight?: number;
}

/**
 * Fits positive parameters so that `predict` matches `observed` in the logarithm (Levenberg–Marquardt on ln
 * parameters, numeric Jacobian, Huber weights). Deterministic.
 *
 * @param start positive starting values
 * @param observed positive values, one per row
 * @param weights ≥ 0, one per row
 * @param predict positive prediction of a row
 * @returns parameters, same order as `start`
 */
export function fitLogParameters(
  start: readonly number[],
  observed: Float64Array,
  weights: Float64Array,
  predict: (parameters: readonly number[], row: number) => number,
  options: LogFitOptions = {},
): number[] {
  const { maxIterations = 60, huberLn = 0.2, priorWeight = 0.01 } = options;
  const numRows = observed.length;
  const lnObserved = observed.map(Math.log);
  const lnStart = start.map(Math.log);
  const evaluate = (ln: readonly number[]): Float64Array => {
    const parameters = ln.map(Math.exp);
    const residuals = new Float64Array(numRows);
    for (let row = 0; row < numRows; row += 1) residuals[row] = Math.log(predict(parameters, row)) - lnObserved[row]!;
    return residuals;
  };
  const lossOf = (residuals: Float64Array, ln: readonly number[]): number => {
    let sum = 0;
    for (let row = 0; row < numRows; row += 1) sum += weights[row]! * huber(residuals[row]!, huberLn);
    for (let p = 0; p < ln.length; p += 1) sum += (priorWeight * (ln[p]! - lnStart[p]!)) ** 2;
    return sum;
  };
  let ln = [...lnStart];
  let residuals = evaluate(ln);
  let loss = lossOf(residuals, ln);
  let damping = 1e-2;
  for (let iteration = 0; iteration < maxIterations; iteration += 1) {
    const { normal, gradient } = linearise(ln, lnStart, residuals, weights, evaluate, huberLn, priorWeight);
    let isImproved = false;
    while (damping < 1e8) {
      const damped = normal.map((row, i) => row.map((value, j) => (i === j ? value * (1 + damping) + 1e-12 : value)));
      const step = solveSymmetric(damped, gradient);
      const next = ln.map((value, i) => value - Math.max(-1, Math.min(1, step[i]!)));
      const nextResiduals = evaluate(next);
      const nextLoss = lossOf(nextResiduals, next);
      if (nextLoss < loss) {
        isImproved = loss - nextLoss > 1e-9 * loss;
        ln = next;
        residuals = nextResiduals;
        loss = nextLoss;
        damping = Math.max(damping / 5, 1e-9);
        break;
      }
      damping *= 4;
    }
    if (!isImproved) break;
  }
  return ln.map(Math.exp);
}

function huber(residual: number, limit: number): number {
  const size = Math.abs(residual);
  return size <= limit ? size * size : limit * (2 * size - limit);
}

function linearise(
  ln: readonly number[],
  lnStart: readonly number[],
  residuals: Float64Array,
  weights: Float64Array,
  evaluate: (ln: readonly number[]) => Float64Array,
  huberLn: number,
  priorWeight: number,
): { normal: number[][]; gradient: number[] } {
  const step = 1e-4;
  const columns = ln.map((_, p) => {
    const moved = evaluate(ln.map((value, q) => (p === q ? value + step : value)));
    return moved.map((value, row) => (value - residuals[row]!) / step);
  });
  const rowWeights = weights.map((weight, row) => weight * Math.min(1, huberLn / Math.abs(residuals[row]! || 1e-12)));
  const normal = columns.map((a, p) =>
    columns.map((b, q) => {
      let sum = p === q ? priorWeight * priorWeight : 0;
      for (let row = 0; row < a.length; row += 1) sum += rowWeights[row]! * a[row]! * b[row]!;
      return sum;
    }),
  );
  const gradient = columns.map((a, p) => {
    let sum = priorWeight * priorWeight * (ln[p]! - lnStart[p]!);
    for (let row = 0; row < a.length; row += 1) sum += rowWeights[row]! * a[row]! * residuals[row]!;
    return sum;
  });
  return { normal, gradient };
}

/**
 * Solves a symmetric positive definite system by Cholesky; O(n³).
 *
 * @param matrix `[n][n]`, overwritten
 */
export function solveSymmetric(matrix: number[][], rightHandSide: readonly number[]): number[] {
  const n = rightHandSide.length;
  const lower = matrix;
  for (let i = 0; i < n; i += 1) {
    for (let j = 0; j <= i; j += 1) {
      let sum = lower[i]![j]!;
      const rowI = lower[i]!;
      const rowJ = lower[j]!;
      for (let k = 0; k < j; k += 1) sum -= rowI[k]! * rowJ[k]!;
      rowI[j] = i === j ? Math.sqrt(Math.max(sum, 1e-300)) : sum / rowJ[j]!;
    }
  }
  const solution = [...rightHandSide];
  for (let i = 0; i < n; i += 1) {
    for (let k = 0; k < i; k += 1) solution[i] = solution[i]! - lower[i]![k]! * solution[k]!;
    solution[i] = solution[i]! / lower[i]![i]!;
  }
  for (let i = n - 1; i >= 0; i -= 1) {
    for (let k = i + 1; k < n; k += 1) solution[i] = solution[i]! - lower[k]![i]! * solution[k]!;
    solution[i] = solution[i]! / lower[i]![i]!;
  }
  return solution;
}
