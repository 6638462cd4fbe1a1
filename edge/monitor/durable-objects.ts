// The monitor's objects as the platform starts them.
import { DurableObject } from "cloudflare:workers";
import type { Observation } from "../../shared/drift/watched.ts";
import type { ObjectContext } from "../streams/storage.ts";
import type { PairSums } from "./comparison.ts";
import type { Counts } from "./counts.ts";
import { createDrift, type DriftDependencies, type DriftObject, type WatchedModel } from "./drift-object.ts";
import { createMetrics, type MetricsDependencies, type MetricsObject } from "./metrics-object.ts";
import {
  type Outcome,
  type PredictionRow,
  Predictions,
  type PredictionsDependencies,
  type PredictionsObject,
} from "./predictions-object.ts";
import type { ShadowRow } from "./shadows.ts";

/** The class of the one object that holds all isolates' counts. */
export function metricsClass(dependencies: MetricsDependencies) {
  return class extends DurableObject implements MetricsObject {
    readonly #metrics: MetricsObject;
    constructor(context: ObjectContext, env: unknown) {
      super(context, env);
      this.#metrics = createMetrics(context.storage, dependencies);
    }
    add(more: Counts) {
      return this.#metrics.add(more);
    }
    view() {
      return this.#metrics.view();
    }
  };
}

/** The class of the objects that watch one model each. */
export function driftClass(dependencies: DriftDependencies) {
  return class extends DurableObject implements DriftObject {
    readonly #drift: DriftObject;
    constructor(context: ObjectContext, env: unknown) {
      super(context, env);
      this.#drift = createDrift(context.storage, dependencies);
    }
    observe(model: WatchedModel, observations: readonly Observation[]) {
      return this.#drift.observe(model, observations);
    }
    view(model: WatchedModel) {
      return this.#drift.view(model);
    }
    forget() {
      return this.#drift.forget();
    }
  };
}

/** The class of the objects that hold a share of one artifact's predictions each. */
export function predictionsClass(dependencies: PredictionsDependencies) {
  return class extends DurableObject implements PredictionsObject {
    readonly #predictions: PredictionsObject;
    constructor(context: ObjectContext, env: unknown) {
      super(context, env);
      this.#predictions = new Predictions(context.storage, dependencies);
    }
    remember(rows: readonly PredictionRow[]) {
      return this.#predictions.remember(rows);
    }
    settle(model: string, outcomes: readonly Outcome[]) {
      return this.#predictions.settle(model, outcomes);
    }
    compare(challenger: string, more: PairSums, rows: readonly ShadowRow[]) {
      return this.#predictions.compare(challenger, more, rows);
    }
    compared(challenger: string) {
      return this.#predictions.compared(challenger);
    }
    view(model: string) {
      return this.#predictions.view(model);
    }
    mayTell(model: string, shard: number) {
      return this.#predictions.mayTell(model, shard);
    }
    alarm() {
      return this.#predictions.alarm();
    }
  };
}
