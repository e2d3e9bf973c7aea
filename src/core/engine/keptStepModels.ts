import type { KernelModel } from "../kernels/kernelModel.js";
import type { ModelArchitecture } from "../model/modelArchitecture.js";
import { AdditiveStepModel } from "../stepmodel/additiveStepModel.js";
import type { StepPlan } from "../stepmodel/stepPlan.js";

/** Plans kept for one model and kernel model; a sweep over tensor parallelism and limits has fewer at a time. */
const MAX_PLANS = 16;

/** Step models by the model they are of and the rest of their plan, for what prices their kernels. */
type KeptModels = WeakMap<ModelArchitecture, Map<string, AdditiveStepModel>>;
const kept = new WeakMap<KernelModel, KeptModels>();

/**
 * The additive step model of a plan: the one made for an equal plan before, where the same objects describe the model
 * and price its kernels. Its prices of linear layers, a third of the time of a run of two thousand requests, are then
 * there already. They depend on the plan alone, so nothing can be told from outside.
 */
export function keptStepModel(plan: StepPlan): AdditiveStepModel {
  const { architecture, kernelModel, ...rest } = plan;
  const models: KeptModels = kept.get(kernelModel) ?? new WeakMap();
  kept.set(kernelModel, models);
  const byPlan = models.get(architecture) ?? new Map<string, AdditiveStepModel>();
  models.set(architecture, byPlan);
  const key = JSON.stringify(rest);
  const known = byPlan.get(key);
  if (known !== undefined) return known;
  if (byPlan.size >= MAX_PLANS) byPlan.clear();
  const made = new AdditiveStepModel(plan);
  byPlan.set(key, made);
  return made;
}
