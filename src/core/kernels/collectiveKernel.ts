import type { CollectiveEfficiency } from "./gpuEfficiency.js";
import type { GpuRoofs } from "./gpuRoofs.js";
import { dataLookup, FORMULA, type KernelLookup, lnDistanceBeyond } from "./kernelLookup.js";

/** Beyond the largest measured group, µs grow with this power of the ranks (no data: one node is the limit). */
const BEYOND_RANKS_POWER = 0.5;
/** An all-gather moves half of what an all-reduce of the same size moves. */
const ALL_GATHER_SHARE = 0.5;

/**
 * µs of one collective over `numRanks` GPUs of one node inside a CUDA graph; 0 for a single rank.
 * Interpolated log-log between message sizes, in ln ranks between group sizes. Below the smallest message the
 * latency holds; above the largest, the bandwidth.
 *
 * @param messageBytes bytes of the full (reduced or gathered) tensor
 */
export function collectiveUs(
  groups: readonly CollectiveEfficiency[],
  roofs: GpuRoofs,
  collective: "all-reduce" | "all-gather",
  numRanks: number,
  messageBytes: number,
): number {
  if (numRanks <= 1 || messageBytes <= 0) return 0;
  const bytes = collective === "all-gather" ? messageBytes * ALL_GATHER_SHARE : messageBytes;
  return Math.max(allReduceUs(groups, numRanks, bytes), collectiveFloorUs(roofs, numRanks, messageBytes));
}

/** How `collectiveUs` finds a price: groups are all-reduces, so an all-gather is a formula on top of them. */
export function collectiveLookup(
  groups: readonly CollectiveEfficiency[],
  collective: "all-reduce" | "all-gather",
  numRanks: number,
  messageBytes: number,
): KernelLookup {
  if (numRanks <= 1 || messageBytes <= 0 || collective === "all-gather") return FORMULA;
  const ranks = groups.map((group) => group.numRanks);
  const beyondRanks = lnDistanceBeyond(numRanks, ranks[0]!, ranks[ranks.length - 1]!);
  const beyondSizes = neighbourGroups(groups, numRanks).map(({ messageBytes: sizes }) =>
    lnDistanceBeyond(messageBytes, sizes[0]!, sizes[sizes.length - 1]!),
  );
  return dataLookup(Math.max(beyondRanks, ...beyondSizes));
}

/** The groups whose curves a price is read from: the next smaller and the next larger one, or the one at an end. */
function neighbourGroups(groups: readonly CollectiveEfficiency[], numRanks: number): CollectiveEfficiency[] {
  const below = groups.findLast((group) => group.numRanks <= numRanks);
  const above = groups.find((group) => group.numRanks >= numRanks);
  return [below, above].filter((group) => group !== undefined);
}

/** What each GPU must at least receive of the tensor, at full link speed. */
export function collectiveFloorUs(roofs: GpuRoofs, numRanks: number, messageBytes: number): number {
  return ((numRanks - 1) / numRanks) * (messageBytes / roofs.linkBytesPerUs);
}

function allReduceUs(groups: readonly CollectiveEfficiency[], numRanks: number, bytes: number): number {
  const last = groups[groups.length - 1]!;
  if (numRanks >= last.numRanks) {
    return messageUs(last, bytes) * (numRanks / last.numRanks) ** BEYOND_RANKS_POWER;
  }
  let index = 0;
  while (index < groups.length - 1 && groups[index + 1]!.numRanks <= numRanks) index += 1;
  const low = groups[index]!;
  if (numRanks <= low.numRanks || index === groups.length - 1) return messageUs(low, bytes);
  const high = groups[index + 1]!;
  const share = Math.log(numRanks / low.numRanks) / Math.log(high.numRanks / low.numRanks);
  return messageUs(low, bytes) ** (1 - share) * messageUs(high, bytes) ** share;
}

function messageUs(group: CollectiveEfficiency, bytes: number): number {
  const sizes = group.messageBytes;
  const last = sizes.length - 1;
  if (bytes <= sizes[0]!) return group.us[0]!;
  if (bytes >= sizes[last]!) return (group.us[last]! * bytes) / sizes[last]!;
  let index = 0;
  while (bytes >= sizes[index + 1]!) index += 1;
  const share = Math.log(bytes / sizes[index]!) / Math.log(sizes[index + 1]! / sizes[index]!);
  return group.us[index]! * (group.us[index + 1]! / group.us[index]!) ** share;
}
