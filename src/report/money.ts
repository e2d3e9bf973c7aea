/** `$0.041`, `$4.59`, `$257`. */
export function printUsd(amount: number | null): string {
  if (amount === null) return "–";
  return `$${amount.toFixed(amount < 0.0995 ? 3 : amount < 99.995 ? 2 : 0)}`;
}

/** As an axis shows it: `$5`, `$0.2`. */
export function tickUsd(amount: number): string {
  return `$${Number(amount.toPrecision(3))}`;
}
