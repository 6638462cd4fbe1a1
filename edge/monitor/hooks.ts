// What a model that answers tells the monitor.
import type { ServedModel } from "../models/models.ts";
import type { Ready } from "../models/servable-model.ts";
import type { Monitor } from "./monitor.ts";

/** Hooks of one model that is served. */
export function hooksOf(served: ServedModel, monitor: Monitor): Pick<Ready, "onScored" | "remember"> {
  return {
    onScored(values, probabilities, apart, ids) {
      monitor.isolate.scored(served, values, probabilities, apart);
      if (served.shadow !== undefined) monitor.isolate.shadow(served, values, probabilities, ids);
    },
    remember: (probabilities) => monitor.remember(served.id, probabilities),
  };
}
