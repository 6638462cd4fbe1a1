// What one isolate gathers while it answers, and takes to the objects that keep it after its answers have left. The first thing gathered
// after a flush arms the next: an isolate that is killed loses at most FLUSH_MS of it. Nothing here delays or fails an answer.
import { observe, type Watched, watchedOf } from "../../shared/drift/watched.ts";
import type { Engine } from "../../shared/engine.ts";
import { computeInputs, type Model, type ScorableModel } from "../../shared/model.ts";
import type { Log } from "../../shared/recipe/recipe.ts";
import type { RequestRecord } from "../http/request-context.ts";
import { addCounts, type Counts, countRequest, countScores, increase, noCounts } from "./counts.ts";
import type { DriftObject, WatchedModel } from "./drift-object.ts";
import type { MetricsObject } from "./metrics-object.ts";
import type { PredictionRow, PredictionsObject } from "./predictions-object.ts";
import { type Compared, type Shadowed, Shadows } from "./shadows.ts";

export const FLUSH_MS = 5000;
/** A flush that was armed so long ago died with the request that armed it: the platform gives it 30 s. */
const ARMED_MS = 30_000;
/** Sequences that are watched between two flushes, at most one a request. */
const MAX_SAMPLES = 32;
/** Predictions that wait for a flush; more are lost, and counted. */
const MAX_PREDICTIONS = 10_000;
/** Rows that one call takes. */
const ROWS_A_CALL = 1000;

/** A model whose sequences are watched. */
export interface Scored {
  readonly id: string;
  readonly model: ScorableModel;
  readonly engine: Pick<Engine, "series">;
  readonly log: Log;
}

/** Objects by name; what is absent is not bound, and not gathered. */
export interface MonitorObjects {
  readonly metrics?: () => MetricsObject;
  readonly driftOf?: (model: string) => DriftObject;
  readonly predictionsOf?: (name: string) => PredictionsObject;
}

/** Where things go, and how. */
export interface MonitorDependencies extends MonitorObjects {
  /** One point a request. */
  readonly point?: (record: RequestRecord) => void;
  /** Keeps the isolate at it after the answer. */
  readonly waitUntil: (promise: Promise<void>) => void;
  /** Resolves after so many milliseconds. */
  readonly sleep: (ms: number) => Promise<void>;
  /** Milliseconds since 1970. */
  readonly now: () => number;
  readonly report: (error: Error) => void;
}

interface Samples {
  readonly watched: WatchedModel;
  readonly scored: Scored;
  /** (T,F) raw each, in this isolate's memory alone, until the flush. */
  readonly taken: { readonly values: Float64Array; readonly probability: number }[];
}

/** One isolate's. */
export class IsolateMonitor {
  readonly #dependencies: MonitorDependencies;
  #counts = noCounts();
  readonly #samples = new Map<string, Samples>();
  readonly #shadows = new Shadows();
  #predictions = new Map<string, PredictionRow[]>();
  #waiting = 0;
  #turn = 0;
  #armedAt = Number.NEGATIVE_INFINITY;
  /** Of the models that were seen; a reference is read once. */
  readonly #watched = new WeakMap<ScorableModel, Watched>();

  constructor(dependencies: MonitorDependencies) {
    this.#dependencies = dependencies;
  }

  /** One request that is over. */
  request(record: RequestRecord): void {
    this.#dependencies.point?.(record);
    if (this.#dependencies.metrics === undefined) return;
    countRequest(this.#counts, record);
    this.#arm();
  }

  /** One attempt to deliver that is settled. */
  delivery(destination: string, state: string): void {
    if (this.#dependencies.metrics === undefined) return;
    increase(this.#counts.deliveries, `${state} ${destination}`, 1);
    this.#arm();
  }

  /** Sequences, `values` (N,T,F), that were scored at the model's own prior. One of them is watched where they are `apart`: no row of them was watched before. */
  scored(scored: Scored, values: Float64Array, probabilities: Float32Array, apart: boolean): void {
    const { metrics, driftOf } = this.#dependencies;
    if (metrics !== undefined) countScores(this.#counts, scored.id, probabilities);
    if (driftOf !== undefined && apart) this.#sample(scored, values, probabilities);
    if (metrics !== undefined || (driftOf !== undefined && apart)) this.#arm();
  }

  #sample(scored: Scored, values: Float64Array, probabilities: Float32Array): void {
    const { id, model } = scored;
    if (!hasReference(model)) return;
    let samples = this.#samples.get(id);
    if (samples === undefined) {
      const watched = this.#watched.get(model) ?? toPlain(watchedOf(model));
      this.#watched.set(model, watched);
      samples = { watched: { id, watched }, scored, taken: [] };
      this.#samples.set(id, samples);
    }
    if (samples.taken.length >= MAX_SAMPLES || samples.watched.watched.basis === "none") return;
    const N = probabilities.length;
    const n = this.#turn++ % N; // no place in a request is preferred
    const size = values.length / N;
    samples.taken.push({ values: values.slice(n * size, (n + 1) * size), probability: probabilities[n] });
  }

  /** Sequences, `values` (N,T,F), that the model's challenger is to score, too, after the answers. `ids`: of predictions whose outcomes may come. */
  shadow(served: Shadowed, values: Float64Array, probabilities: Float32Array, ids?: readonly (string | null)[]): void {
    if (this.#dependencies.predictionsOf === undefined) return;
    const over = probabilities.length - this.#shadows.take(served, values, probabilities, ids);
    if (over > 0) increase(this.#counts.lost, "comparisons", over);
    this.#arm();
  }

  /** A prediction to remember in the object of this name. False where there is no room: it is lost, and counted. */
  remember(name: string, row: PredictionRow): boolean {
    if (this.#waiting >= MAX_PREDICTIONS) {
      increase(this.#counts.lost, "predictions", 1);
      return false;
    }
    const rows = this.#predictions.get(name) ?? [];
    rows.push(row);
    this.#predictions.set(name, rows);
    this.#waiting++;
    this.#arm();
    return true;
  }

  #arm(): void {
    const { now, waitUntil, sleep } = this.#dependencies;
    const time = now();
    if (time - this.#armedAt < ARMED_MS && time >= this.#armedAt) return;
    this.#armedAt = time;
    waitUntil(sleep(FLUSH_MS).then(() => this.flush()));
  }

  /** Takes away what was gathered. Never throws: counts that did not arrive wait for the next flush; samples and predictions are lost, and counted. */
  async flush(): Promise<void> {
    this.#armedAt = Number.NEGATIVE_INFINITY;
    const counts = this.#counts;
    const predictions = this.#predictions;
    const samples = [...this.#samples.values()];
    this.#counts = noCounts();
    this.#samples.clear();
    this.#predictions = new Map();
    this.#waiting = 0;
    const compared = this.#shadows.score(this.#dependencies.now(), (count, error) => this.#lose("comparisons", count, error));
    await Promise.all([
      ...compared.map((one) => this.#sendCompared(one)),
      this.#sendCounts(counts),
      ...samples.map((one) => this.#sendSamples(one)),
      ...Array.from(predictions, ([name, rows]) => this.#sendPredictions(name, rows)),
    ]);
  }

  async #sendCounts(counts: Counts): Promise<void> {
    const { metrics } = this.#dependencies;
    if (metrics === undefined) return;
    try {
      await metrics().add(counts);
    } catch (error) {
      this.#dependencies.report(error as Error);
      addCounts(this.#counts, counts); // not armed: the next request does that
    }
  }

  async #sendSamples({ watched, scored: { model, engine, log }, taken }: Samples): Promise<void> {
    try {
      const observations = taken.map(({ values, probability }) =>
        observe(watched.watched, computeInputs(model, values, log, engine.series), values, 0, probability),
      );
      await this.#dependencies.driftOf!(watched.id).observe(watched, observations);
    } catch (error) {
      this.#lose("samples", taken.length, error as Error);
    }
  }

  async #sendCompared({ name, challenger, sums, rows }: Compared): Promise<void> {
    try {
      await this.#dependencies.predictionsOf!(name).compare(challenger, sums, rows);
    } catch (error) {
      this.#lose("comparisons", sums[0], error as Error);
    }
  }

  async #sendPredictions(name: string, rows: readonly PredictionRow[]): Promise<void> {
    for (let at = 0; at < rows.length; at += ROWS_A_CALL) {
      const some = rows.slice(at, at + ROWS_A_CALL);
      try {
        await this.#dependencies.predictionsOf!(name).remember(some);
      } catch (error) {
        this.#lose("predictions", some.length, error as Error);
      }
    }
  }

  #lose(what: string, count: number, error: Error): void {
    increase(this.#counts.lost, what, count);
    this.#dependencies.report(error);
  }
}

/** Whether there is something to watch the model's sequences by. */
export function hasReference(model: ScorableModel): model is ScorableModel & Pick<Model, "reference"> {
  return "reference" in model;
}

/** As it crosses to an object. */
function toPlain({ basis, quantities }: Watched): Watched {
  const plain = quantities.map(({ name, edges, counts }) => ({ name, edges: Array.from(edges), counts: Array.from(counts) }));
  return { basis, quantities: plain };
}
