// What routes ask of the monitor, over the objects that are bound: counts, drift, predictions and what came true.
import type { DriftReport } from "../../shared/drift/watch.ts";
import { watchedOf } from "../../shared/drift/watched.ts";
import type { Model } from "../../shared/model.ts";
import { RequestError } from "../http/problem.ts";
import type { Trial } from "../models/registry.ts";
import { addPairs, type Comparison, describePairs, describeShares, noPairs } from "./comparison.ts";
import type { Counts } from "./counts.ts";
import { hasReference, type IsolateMonitor, type MonitorObjects, type Scored } from "./isolate-monitor.ts";
import { addTally, describePerformance, type Functions, noOutcomes, type Performance, type Tally } from "./performance.ts";
import { PREDICTION_SHARDS, predictionsName, writePredictionId } from "./prediction-id.ts";
import { OUTCOME_STATES, type Outcome, type OutcomeCounts, type OutcomeState, type PredictionsObject } from "./predictions-object.ts";

export interface ModelPerformance extends Performance {
  /** By day of the prediction, UTC, the newest first. */
  readonly days: readonly (Performance & { readonly day: string })[];
  readonly outcomesByState: OutcomeCounts;
  /** The largest evidence of a share of the predictions that the probabilities do not hold; the alarm is at 4000. */
  readonly evidence: number;
  readonly changed: boolean;
}

/** Methods throw RequestError `unbound` where what they need is not bound. */
export interface Monitor {
  readonly isolate: IsolateMonitor;
  counts(): Promise<Counts>;
  /** Undefined where nothing is bound for it, or the model has no reference. */
  driftOrNone(scored: Scored): Promise<DriftReport | undefined>;
  drift(scored: Scored): Promise<DriftReport>;
  forgetDrift(scored: Scored): Promise<void>;
  /** The ids of predictions that are remembered; null where one is lost. `model`: its id. */
  remember(model: string, probabilities: Float32Array): (string | null)[];
  /** What came true, of the predictions of one object. `model`: the id. */
  settle(name: string, model: string, outcomes: readonly Outcome[]): Promise<readonly OutcomeState[]>;
  /** `model`: its id. */
  performance(model: string): Promise<ModelPerformance>;
  readonly canWatchDrift: boolean;
  /** Whether predictions, and what a challenger says in the shadow, are kept. */
  readonly canCompare: boolean;
  compare(trial: Trial): Promise<Comparison>;
}

/** `functions`: the kernel's. `now`: milliseconds since 1970. */
export function createMonitor(objects: MonitorObjects, isolate: IsolateMonitor, functions: Functions, now: () => number): Monitor {
  const { metrics, driftOf, predictionsOf } = objects;
  const drift = async (scored: Scored): Promise<DriftReport> => {
    const watched = watchedOf(referenceOf(scored));
    return bound(driftOf, "DRIFT")(scored.id).view({ id: scored.id, watched });
  };
  const predictions = () => bound(predictionsOf, "OUTCOMES");
  return {
    isolate,
    counts: () => bound(metrics, "METRICS")().view(),
    drift,
    driftOrNone: async (scored) => (driftOf === undefined || !hasReference(scored.model) ? undefined : drift(scored)),
    forgetDrift: (scored) => bound(driftOf, "DRIFT")(scored.id).forget(),
    remember(model, probabilities) {
      predictions();
      const at = now();
      const unique = crypto.randomUUID();
      const shard = Number.parseInt(unique[0], 16) % PREDICTION_SHARDS; // of a request all go to one
      return Array.from(probabilities, (probability, n) => {
        const id = writePredictionId({ model, shard, at }, `${unique}-${n}`);
        return isolate.remember(predictionsName(model, shard), { id, at, probability }) ? id : null;
      });
    },
    settle: (name, model, outcomes) => predictions()(name).settle(model, outcomes),
    performance: (model) => describeShards(predictions(), model, functions),
    canWatchDrift: driftOf !== undefined,
    canCompare: predictionsOf !== undefined,
    compare: (trial) => compareShards(predictions(), trial),
  };
}

type PredictionsOf = NonNullable<MonitorObjects["predictionsOf"]>;

/** What `ask` gets of each object of one model's predictions. `model`: its id. */
function shardsOf<T>(predictionsOf: PredictionsOf, model: string, ask: (object: PredictionsObject) => Promise<T>): Promise<T[]> {
  const names = Array.from({ length: PREDICTION_SHARDS }, (_, shard) => predictionsName(model, shard));
  return Promise.all(names.map((name) => ask(predictionsOf(name))));
}

async function daysOf(predictionsOf: PredictionsOf, model: string) {
  const shares = await shardsOf(predictionsOf, model, (object) => object.view(model));
  const days = new Map<string, Tally>();
  for (const share of shares)
    for (const [day, tally] of Object.entries(share.days)) {
      const sum = days.get(day) ?? noOutcomes();
      addTally(sum, tally);
      days.set(day, sum);
    }
  return { shares, days };
}

async function describeShards(predictionsOf: PredictionsOf, model: string, functions: Functions): Promise<ModelPerformance> {
  const { shares, days } = await daysOf(predictionsOf, model);
  const all = noOutcomes();
  for (const tally of days.values()) addTally(all, tally);
  const newest = [...days].sort(([a], [b]) => (a < b ? 1 : -1));
  return {
    ...describePerformance(all, functions),
    days: newest.map(([day, tally]) => ({ day, ...describePerformance(tally, functions) })),
    outcomesByState: Object.fromEntries(
      OUTCOME_STATES.map((state) => [state, shares.reduce((sum, { counts }) => sum + counts[state], 0)]),
    ) as OutcomeCounts,
    evidence: Math.max(...shares.map(({ evidence }) => evidence)),
    changed: shares.some(({ changed }) => changed),
  };
}

/** Of shares only days on which both have outcomes: what one of them alone was asked is not comparable. */
async function compareShards(predictionsOf: PredictionsOf, { served, other, challenger }: Trial): Promise<Comparison> {
  if ("shadow" in challenger) {
    const pairs = noPairs();
    for (const share of await shardsOf(predictionsOf, served.id, (object) => object.compared(other.id))) addPairs(pairs, share);
    return describePairs(pairs);
  }
  const [ours, theirs] = await Promise.all([served, other].map(({ id }) => daysOf(predictionsOf, id)));
  const [tally, otherTally] = [noOutcomes(), noOutcomes()];
  for (const [day, one] of theirs.days) {
    const ourDay = ours.days.get(day);
    if (ourDay === undefined) continue;
    addTally(tally, ourDay);
    addTally(otherTally, one);
  }
  return describeShares(tally, otherTally);
}

/** Throws RequestError where the model has none. */
function referenceOf({ model, id }: Scored): Pick<Model, "recipe" | "reference"> {
  if (hasReference(model)) return model;
  throw new RequestError("notFound", `${id} has no drift reference: it was not made by quickstep train`);
}

function bound<T>(object: T | undefined, binding: string): T {
  if (object !== undefined) return object;
  throw new RequestError("unbound", `this deployment does not bind ${binding}: wrangler.toml says how, docs/operations.md what it costs`);
}
