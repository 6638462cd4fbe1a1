// Challengers in the shadow: what the models that answer have scored waits here, for a moment and in this isolate's memory alone, until
// the answers have left; then the challenger scores it, and what both said is added up.
import { labelAt, type Scores, score } from "../../shared/model.ts";
import type { Ready } from "../models/servable-model.ts";
import { addPair, noPairs, type PairSums } from "./comparison.ts";
import { predictionsName, readPredictionId, shardOfId } from "./prediction-id.ts";

/** Of sequences that wait, and of their numbers: 4 MiB. More are not compared. */
const MAX_SEQUENCES = 256;
const MAX_NUMBERS = 1 << 19;

/** A model that answers, and the one in its shadow. */
export interface Shadowed extends Pick<Ready, "model"> {
  readonly id: string;
  readonly shadow?: Pick<Ready, "model" | "engine" | "log"> & { readonly id: string };
}

/** What the challenger said of a prediction of which an outcome may come. */
export interface ShadowRow {
  readonly id: string;
  /** Milliseconds since 1970. */
  readonly at: number;
  readonly probability: number;
}

/** For one object: all that was compared with one challenger, by its id. */
export interface Compared {
  readonly name: string;
  readonly challenger: string;
  readonly sums: PairSums;
  readonly rows: ShadowRow[];
}

interface Waiting {
  readonly served: Shadowed;
  /** (N,T,F) raw, and what was answered (N). */
  readonly values: Float64Array;
  readonly probabilities: Float32Array;
  readonly ids: readonly (string | null)[];
}

/** One isolate's. */
export class Shadows {
  #waiting: Waiting[] = [];
  #sequences = 0;
  #numbers = 0;

  /** As many of the sequences, `values` (N,T,F), as there is room for: how many. */
  take(served: Shadowed, values: Float64Array, probabilities: Float32Array, ids: readonly (string | null)[] = []): number {
    const size = values.length / probabilities.length;
    const room = Math.min(MAX_SEQUENCES - this.#sequences, Math.floor((MAX_NUMBERS - this.#numbers) / size));
    const taken = Math.min(probabilities.length, room);
    if (taken > 0) this.#waiting.push({ served, values: values.slice(0, taken * size), probabilities: probabilities.slice(0, taken), ids });
    this.#sequences += taken;
    this.#numbers += taken * size;
    return taken;
  }

  /** Scores what waits. `lose` hears of sequences that the challenger could not score. */
  score(now: number, lose: (count: number, error: Error) => void): Compared[] {
    const waiting = this.#waiting;
    this.#waiting = [];
    this.#sequences = this.#numbers = 0;
    const compared = new Map<string, Compared>();
    for (const one of waiting) {
      const { model, engine, log } = one.served.shadow!;
      try {
        put(
          compared,
          one,
          score(model, engine, log, one.values, (n) => [n]),
          now,
        );
      } catch (error) {
        lose(one.probabilities.length, error as Error);
      }
    }
    return [...compared.values()];
  }
}

function put(compared: Map<string, Compared>, { served, probabilities, ids }: Waiting, scores: Scores, now: number): void {
  const challenger = served.shadow!.id;
  const [point, otherPoint] = [served.model, served.shadow!.model].map(({ operatingPoints }) => operatingPoints[0]);
  probabilities.forEach((probability, n) => {
    const other = scores.probabilities[n];
    const id = ids[n];
    const name = predictionsName(served.id, id ? shardOfId(id) : 0);
    const key = `${name} ${challenger}`;
    const one = compared.get(key) ?? { name, challenger, sums: noPairs(), rows: [] };
    compared.set(key, one);
    addPair(one.sums, probability, labelAt(point, probability), other, labelAt(otherPoint, other));
    if (id) one.rows.push({ id, at: readPredictionId(id)?.at ?? now, probability: other });
  });
}
