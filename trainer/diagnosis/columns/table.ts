// The columns of a sample that a script can compute in a line each: steps, changes and statistics of levels, and of the channels that the
// experiments needed. Legend: M sequences, V columns.
import type { Channel } from "../../../shared/recipe/channel.ts";
import { computeColumns } from "../../../shared/recipe/columns.ts";
import { fitRecipe, fitView } from "../../../shared/recipe/fit.ts";
import type { Log, Plan } from "../../../shared/recipe/recipe.ts";
import { defineSeriesColumns } from "../../../shared/recipe/series-definition.ts";
import { type Column, columnsOf, describeColumns, type TabularView } from "../../../shared/recipe/tabular.ts";
import { planView } from "../../features/view-plan.ts";
import type { View } from "../../learners/learner.ts";

/** What a tabular view of a sample comes to. */
export interface ColumnTable {
  readonly tabular: TabularView;
  /** (V) */
  readonly columns: readonly Column[];
  /** (M,V) and their names, as learners see them; there are no channels. */
  readonly view: View;
}

export interface ColumnTableInput {
  /** (M,T,F) */
  readonly values: Float64Array;
  /** How zero rows and gaps are read; its channels beyond levels are looked at, too. */
  readonly plan: Plan;
  /** Features that move. */
  readonly moving: readonly number[];
  readonly log: Log;
}

/** Without quantiles and logarithms. Where numbers are missing: levels alone, each step and what spans them. */
export function tabulate({ values, plan, moving, log }: ColumnTableInput): ColumnTable {
  const { timesteps, features, padding, gaps } = plan;
  const channels = gaps ? [] : plan.channels.filter(isExpressible);
  const planned = planView({ timesteps, moving, positive: [], channels });
  const all = Int32Array.from({ length: values.length / (timesteps * features.length) }, (_, n) => n);
  const recipe = fitRecipe({ ...plan, channels: moving.map((a) => ({ base: "feature", a, view: "level" })) }, values, all, log);
  const whole = fitView({ ...planned, blocks: planned.blocks.filter(({ kind }) => kind !== "quantiles") }, recipe, values, all, log);
  const keep = columnsOf(whole).flatMap((column, v) => (gaps === undefined || isPlain(column) ? [v] : []));
  const tabular = { ...whole, keep: Uint16Array.from(keep) };
  const columnNames = describeColumns(tabular, features);
  const lengths = new Int32Array(all.length).fill(1);
  const read = { timesteps, features, padding, ...(recipe.fill && { fill: recipe.fill }) };
  const columns = computeColumns(tabular, read, values, log, defineSeriesColumns());
  const view = { channels: new Float32Array(0), lengths, timesteps, names: [], columns, columnNames };
  return { tabular, columns: columnsOf(tabular), view };
}

/** What a script has a word for. */
function isExpressible({ base, view }: Channel): boolean {
  const isBase = base === "feature" || base === "difference" || base === "logRatio";
  return isBase && (view === "level" || view === "delta" || view === "log" || view === "logDelta" || view === "centred");
}

/** What means the same however gaps are counted. */
function isPlain(column: Column): boolean {
  if (column.kind === "statistic") return ["mean", "deviation", "min", "max"].includes(column.statistic);
  return column.kind === "level" || column.kind === "length";
}
