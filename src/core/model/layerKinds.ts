import type { AttentionArchitecture, LayerGroup, ModelArchitecture } from "./modelArchitecture.js";

/** Layers of the whole model. */
export function numLayers(architecture: ModelArchitecture): number {
  return architecture.layerGroups.reduce((sum, group) => sum + group.count, 0);
}

/** Whether a model's layers have latent attention; none mixes it with another kind. */
export function hasLatentAttention({ layerGroups }: ModelArchitecture): boolean {
  return layerGroups.some(({ attention }) => attention.kind === "mla");
}

/** One kind of attention layer, and how many layers have it. */
export interface AttentionKind {
  readonly attention: AttentionArchitecture;
  readonly count: number;
}

/** One kind of MLP, dense or MoE, and how many layers have it. */
export type MlpKind = Pick<LayerGroup, "count" | "intermediateSize" | "moe">;

// Architectures never change, and a list of operators is made for every number of tokens.
const knownAttentionKinds = new WeakMap<ModelArchitecture, readonly AttentionKind[]>();
const knownProjectionKinds = new WeakMap<ModelArchitecture, readonly AttentionKind[]>();
const knownMlpKinds = new WeakMap<ModelArchitecture, readonly MlpKind[]>();

/** Distinct attention layers of a model with how many layers have each, in order of first appearance. */
export function attentionKinds(architecture: ModelArchitecture): readonly AttentionKind[] {
  return remembered(knownAttentionKinds, architecture, () =>
    distinct(architecture.layerGroups, (group) => group.attention).map(([{ attention }, count]) => ({
      attention,
      count,
    })),
  );
}

/** Attention kinds whose projections differ: a window changes the attention, not the linear layers around it. */
export function projectionKinds(architecture: ModelArchitecture): readonly AttentionKind[] {
  return remembered(knownProjectionKinds, architecture, () => {
    const layerGroups = architecture.layerGroups.map((group) => ({
      ...group,
      attention: { ...group.attention, slidingWindow: 0 as const },
    }));
    return attentionKinds({ ...architecture, layerGroups });
  });
}

/** Distinct MLPs (dense or MoE) of a model with how many layers have each, in order of first appearance. */
export function mlpKinds(architecture: ModelArchitecture): readonly MlpKind[] {
  return remembered(knownMlpKinds, architecture, () =>
    distinct(architecture.layerGroups, ({ intermediateSize, moe }) => ({ intermediateSize, moe })).map(
      ([{ intermediateSize, moe }, count]) => ({ count, intermediateSize, moe }),
    ),
  );
}

function remembered<T>(known: WeakMap<ModelArchitecture, T>, architecture: ModelArchitecture, make: () => T): T {
  const found = known.get(architecture);
  if (found !== undefined) return found;
  const made = make();
  known.set(architecture, made);
  return made;
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
