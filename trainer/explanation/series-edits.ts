// A whole model's probabilities where one of the quantities that its members look at is another: a channel of the recipe, a series of the
// tabular view, or both. Whatever is computed of the quantity, such as means and quantiles, follows. Legend: N sequences, T steps.
import type { Engine } from "../../shared/engine.ts";
import type { Model } from "../../shared/model.ts";
import { applyRecipe } from "../../shared/recipe/apply.ts";
import { type Channel, describeChannel } from "../../shared/recipe/channel.ts";
import { computeColumns } from "../../shared/recipe/columns.ts";
import { type Log, type Recipe, shapeOf } from "../../shared/recipe/recipe.ts";
import type { EditSeries } from "../../shared/recipe/series.ts";
import { isSame } from "../features/candidate-choice.ts";
import { forColumns } from "../features/view-plan.ts";
import { alignRows, placeRows } from "./aligned-rows.ts";
import { scoreEdited } from "./score-edited.ts";

/** One number a step that some member looks at. */
export interface Quantity {
  readonly name: string;
  /** Its number among the recipe's channels and among the view's series; −1 where it is not one. */
  readonly channel: number;
  readonly series: number;
  /** The feature whose level it is, else −1. */
  readonly feature: number;
}

/** What the model looks at: the recipe's channels, then the view's other series. */
export function listQuantities({ recipe: { channels, features }, view }: Pick<Model, "recipe" | "view">): Quantity[] {
  const series = view?.series ?? [];
  const others = series.filter((other) => !channels.some((own) => isSame(forColumns(own), other)));
  const quantityOf = (own: Channel, channel: number): Quantity => ({
    name: describeChannel(own, features),
    channel,
    series: series.findIndex((other) => isSame(forColumns(own), other)),
    feature: own.view === "level" && own.base === "feature" ? own.a : -1,
  });
  return [...channels.map(quantityOf), ...others.map((other) => quantityOf(other, -1))];
}

export interface SeriesEditsInput {
  readonly model: Pick<Model, "recipe" | "view">;
  readonly engine: Pick<Engine, "probabilities" | "series">;
  readonly log: Log;
  /** (N,T,F) raw, each with a valid row */
  readonly values: Float64Array;
  /** What is said of a sequence of which an edit leaves nothing but padding. */
  readonly baseRate: number;
}

export interface SeriesEdits {
  readonly quantities: readonly Quantity[];
  /** (N) valid rows */
  readonly lengths: Int32Array;
  /** (N) nothing edited. */
  readonly plain: Float32Array;
  /** (N) a quantity's value in the last row, as it comes; NaN where it has none. */
  last(quantity: number): Float64Array;
  /** (N) with each sequence's quantity taken from the sequence `donors[n]`, which must have as many rows. */
  permuted(quantity: number, donors: Int32Array): Float32Array;
  /**
   * (N) with each sequence's quantity moved by `by[n]` in all rows; by NaN: left as it is. A level moves with all that looks at its
   * feature.
   */
  shifted(quantity: number, by: Float64Array): Float32Array;
}

/** Everything is computed anew for each answer but the series of `values`, which are held. */
export function createSeriesEdits({ model, engine, log, values, baseRate }: SeriesEditsInput): SeriesEdits {
  const { recipe, view } = model;
  const quantities = listQuantities(model);
  const score = (raw: Float64Array, ofChannels?: EditSeries, ofSeries?: EditSeries) => {
    const { channels, lengths } = applyRecipe(recipe, raw, log, ofChannels);
    const columns = view && computeColumns(view, recipe, raw, log, engine.series!, { ...(ofSeries && { edit: ofSeries }) });
    return { lengths, probabilities: scoreEdited(engine, { channels, lengths, ...(columns && { columns }) }, baseRate) };
  };
  const held = { channels: holdSeries(), series: holdSeries() };
  const { lengths, probabilities: plain } = score(values, held.channels.hold, held.series.hold);
  const edit = (quantity: number, change: (own: Held) => EditSeries): Float32Array => {
    const only =
      (wanted: number, edit: EditSeries): EditSeries =>
      (n, s, x, from, to) =>
        s === wanted && edit(n, s, x, from, to);
    const { channel, series } = quantities[quantity];
    return score(values, only(channel, change(held.channels)), only(series, change(held.series))).probabilities;
  };
  return {
    quantities,
    lengths,
    plain,
    last(quantity) {
      const { channel, series } = quantities[quantity];
      return Float64Array.from(
        lengths,
        (_, n) => (channel < 0 ? held.series.of(n, series) : held.channels.of(n, channel)).at(-1) ?? Number.NaN,
      );
    },
    permuted: (quantity, donors) => edit(quantity, (own) => (n, s, x, from) => x.set(own.of(donors[n], s), from)),
    shifted(quantity, by) {
      const { feature } = quantities[quantity];
      if (feature >= 0) return score(shiftFeature(recipe, values, feature, by)).probabilities;
      return edit(quantity, () => (n, _, x, from, to) => {
        for (let t = from; t < to && !Number.isNaN(by[n]); t++) x[t] += by[n];
      });
    },
  };
}

/** (N,T,F) the valid rows' feature moved. */
function shiftFeature(recipe: Recipe, values: Float64Array, feature: number, by: Float64Array): Float64Array {
  const shape = shapeOf(recipe);
  const { timesteps: T, features: F } = shape;
  const { channels, lengths } = alignRows(values, shape, recipe.padding);
  for (let n = 0; n < lengths.length; n++)
    for (let t = 0; t < lengths[n] && !Number.isNaN(by[n]); t++) channels[(n * T + t) * F + feature] += by[n];
  return placeRows({ channels, lengths }, shape);
}

/** Series as they came. */
interface Held {
  readonly hold: EditSeries;
  /** The defined values of series `s` of sequence `n`. */
  of(n: number, s: number): Float64Array;
}

function holdSeries(): Held {
  const all: Float64Array[][] = [];
  const none = new Float64Array(0);
  return {
    hold(n, s, x, from, to) {
      all[n] ??= [];
      all[n][s] = x.slice(from, to);
    },
    of: (n, s) => all[n]?.[s] ?? none,
  };
}
