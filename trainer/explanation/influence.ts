// What a whole model leans on, whoever speaks in it: permutation importance of raw features, of channels and of rows, and how the
// probability goes with the channels that matter most (partial dependence; Friedman 2001). Legend: N sequences, T steps, F features.
import type { Engine } from "../../shared/engine.ts";
import { computeInputs, type Influence, type Model } from "../../shared/model.ts";
import { type Log, shapeOf } from "../../shared/recipe/recipe.ts";
import { take } from "../data/sequences.ts";
import { mean } from "../statistics/descriptive.ts";
import { groupPositions } from "../statistics/grouping.ts";
import { logLosses } from "../statistics/log-loss.ts";
import type { Random } from "../statistics/random.ts";
import { alignRows, placeRows } from "./aligned-rows.ts";
import { type Effect, measureRise, permutationImportance, planRounds } from "./importance.ts";
import { scoreEdited } from "./score-edited.ts";
import { createSeriesEdits, listQuantities, type SeriesEdits } from "./series-edits.ts";

export interface InfluenceInput {
  readonly model: Pick<Model, "recipe" | "view">;
  readonly engine: Pick<Engine, "probabilities" | "series">;
  readonly log: Log;
  /** (N,T,F) raw, each with a valid row; and labels (N) */
  readonly values: Float64Array;
  readonly labels: ArrayLike<number>;
  readonly random: Random;
}

/** Rows scored in all: about a second of a stack (measured). */
const ROW_BUDGET = 150_000;
/** Sequences of a partial dependence: its curve is a mean over them. */
const MAX_DEPENDENCE_SEQUENCES = 500;
/** Channels that get a curve, and where it is asked: from the 5 % quantile to the 95 % quantile, evenly. */
const CURVES = 3;
const POINTS = 10;
/** Effects that are kept of each kind: a card has room for so many. */
const MAX_EFFECTS = 20;
/** Digits after the point of nats and probabilities, and significant ones of a channel's values. */
const DIGITS = 5;
const SIGNIFICANT = 9;

/** Measures on some of the sequences, drawn by `random`; numbers are rounded for a card. */
export function measureInfluence(input: InfluenceInput): Influence {
  const { model, log, random } = input;
  const { recipe } = model;
  const shape = shapeOf(recipe);
  const { timesteps: T, features: F } = shape;
  const names = listQuantities(model).map(({ name }) => name);
  const { sequences, repeats } = planRounds(input.labels.length, (F + names.length + T) * T, ROW_BUDGET);
  const drawn = drawSequences(input, sequences);
  const engine = input.engine;
  const baseRate = mean(drawn.labels);
  const aligned = alignRows(drawn.values, shape, recipe.padding);
  const ofRows = permutationImportance(
    { ...aligned, labels: drawn.labels },
    T,
    (channels, lengths) => scoreEdited(engine, computeInputs(model, placeRows({ channels, lengths }, shape), log, engine.series), baseRate),
    random,
    { sequences, repeats },
  );
  const edits = createSeriesEdits({ model, engine, log, values: drawn.values, baseRate });
  const channels = permuteQuantities(edits, drawn.labels, repeats, random);
  const ranked = rank(names, channels);
  const few = drawSequences({ ...drawn, random }, MAX_DEPENDENCE_SEQUENCES);
  const fewEdits = createSeriesEdits({ model, engine, log, values: few.values, baseRate });
  return {
    sequences,
    repeats,
    features: rank(recipe.features, ofRows.channels),
    channels: ranked,
    steps: ofRows.steps.map(({ from, to, ...effect }) => ({ from, to, ...round(effect) })),
    dependence: ranked.slice(0, CURVES).flatMap(({ name }) => traceDependence(fewEdits, name)),
  };
}

interface Drawn {
  readonly values: Float64Array;
  readonly labels: ArrayLike<number>;
}

/** As many as that at most, in their order. */
function drawSequences({ values, labels, random }: Drawn & Pick<InfluenceInput, "random">, n: number): Drawn {
  const N = labels.length;
  if (N <= n) return { values, labels };
  const chosen = Int32Array.from({ length: N }, (_, i) => i);
  random.shuffle(chosen);
  const indices = chosen.subarray(0, n).toSorted();
  return { values: take(values, indices, values.length / N), labels: Array.from(indices, (i) => labels[i]) };
}

/** Of each quantity, dealt among sequences of one length. */
function permuteQuantities(edits: SeriesEdits, labels: ArrayLike<number>, repeats: number, random: Random): Effect[] {
  const { lengths, quantities, plain } = edits;
  const before = logLosses(labels, plain);
  const groups = groupPositions(lengths);
  return quantities.map((_, quantity) =>
    measureRise(repeats, labels, before, () => {
      const donors = Int32Array.from(lengths.keys());
      for (const group of groups) {
        const dealt = group.slice();
        random.shuffle(dealt);
        group.forEach((n, k) => {
          donors[n] = dealt[k];
        });
      }
      return edits.permuted(quantity, donors);
    }),
  );
}

/** The effects that matter most, the first first; a channel that is not told from another by name is told by its place. */
function rank(names: readonly string[], effects: readonly Effect[]): Influence["features"] {
  return effects
    .map((effect, i) => ({ name: names[i], ...effect }))
    .sort((a, b) => b.rise - a.rise)
    .slice(0, MAX_EFFECTS)
    .map(({ name, ...effect }) => ({ name, ...round(effect) }));
}

/** The mean probability where every sequence's channel is moved until its last row has a value of the grid; nothing of a constant. */
function traceDependence(edits: SeriesEdits, name: string): Influence["dependence"] {
  const quantity = edits.quantities.findIndex((own) => own.name === name);
  const last = edits.last(quantity);
  const at = gridOf(last);
  if (at.length < 2) return [];
  const probabilities = at.map((value) =>
    mean(
      edits.shifted(
        quantity,
        last.map((own) => value - own),
      ),
    ),
  );
  return [{ name, at, probabilities: probabilities.map((p) => fix(p)) }];
}

/** Values between two observed ones each, so that what is among them that was observed was so more than once; ascending, each once. */
function gridOf(observed: Float64Array): number[] {
  const sorted = observed.filter((value) => !Number.isNaN(value)).sort();
  if (sorted.length < 2) return [];
  const between = Array.from({ length: POINTS }, (_, i) => {
    const place = (0.05 + (0.9 * i) / (POINTS - 1)) * (sorted.length - 1);
    const below = Math.min(Math.floor(place), sorted.length - 2);
    return Number((sorted[below] / 2 + sorted[below + 1] / 2).toPrecision(SIGNIFICANT));
  });
  return [...new Set(between)];
}

function round({ rise, halfWidth }: Effect): Effect {
  return { rise: fix(rise), halfWidth: fix(halfWidth) };
}

function fix(value: number): number {
  return Number(value.toFixed(DIGITS));
}
