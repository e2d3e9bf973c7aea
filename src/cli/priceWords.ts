/** What the commands that take prices apart say of them. */
export const PRICE_WORDS =
  "Bound by launch: a kernel's fixed cost exceeds what its FLOPs and bytes need; by wait: no kernel runs. A price is " +
  "interpolated inside the measurements behind it; extrapolated ×1.5 beyond them, where a shape number is 1.5 times the " +
  "largest measured or the smallest 1.5 times it; nearest ×1.5 where it is that of the nearest row, whose shape differs by " +
  "so much (roofline-v2); formula where no measurement gives it. Its source is measured, modelled (by efficiencies fitted " +
  "to this GPU's kernels) or transferred (borrowed from a relative's).";
