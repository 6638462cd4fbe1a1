// Models whose scores are heard of by a monitor: the same models, with what they tell it.
import type { Models, ServedModel } from "./models.ts";
import type { Ready } from "./servable-model.ts";

/** The same models. `hooks`: what a model tells, made once for each. */
export function monitored(models: Models, hooks: (served: ServedModel) => Pick<Ready, "onScored" | "remember">): Models {
  const known = new WeakMap<ServedModel, ServedModel>();
  const wrap = (served: ServedModel): ServedModel => {
    let one = known.get(served);
    if (one === undefined) {
      one = { ...served, ...hooks(served) };
      known.set(served, one);
    }
    return one;
  };
  return {
    standing: () => models.standing(),
    faultOf: (name) => models.faultOf(name),
    faults: () => models.faults(),
    choose(request) {
      const chosen = models.choose(request);
      return chosen instanceof Promise ? chosen.then(wrap) : wrap(chosen);
    },
  };
}
