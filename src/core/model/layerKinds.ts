import type { AttentionArchitecture, LayerGroup, ModelArchitecture } from "./modelArchitecture.js";

/** Layers of the whole model. */
export function numLayers(architecture: ModelArchitecture): number {
  return architecture.layerGroups.reduce((sum, group) => sum + group.count, 0);
}

/** Distinct attention layers of a model with how many layers have each, in order of first appearance. */
export function attentionKinds(
  architecture: ModelArchitecture,
): readonly { readonly attention: AttentionArchitecture; readonly count: number }[] {
  return distinct(architecture.layerGroups, (group) => group.attention).map(([group, count]) => ({
    attention: group.attention,
    count,
  }));
}

/** Distinct MLPs (dense or MoE) of a model with how many layers have each, in order of first appearance. */
export function mlpKinds(
  architecture: ModelArchitecture,
): readonly Pick<LayerGroup, "count" | "intermediateSize" | "moe">[] {
  return distinct(architecture.layerGroups, ({ intermediateSize, moe }) => ({ intermediateSize, moe })).map(
    ([{ intermediateSize, moe }, count]) => ({ count, intermediateSize, moe }),
  );
}

function distinct(groups: readonly LayerGroup[], part: (group: LayerGroup) => unknown): [LayerGroup, number][] {
  const found = new Map<string, [LayerGroup, number]>();
  for (const group of groups) {
    const key = JSON.stringify(part(group));
    const seen = found.get(key);
    if (seen === undefined) found.set(key, [group, group.count]);
    else seen[1] += group.count;
  }
  return [...found.values()];
}
