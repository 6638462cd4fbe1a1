// The lines of numpy and scikit-learn that compute a few columns of each sequence, and train on them what does better than a network.
// Knows only what was found; whoever tests it runs the lines. Legend: N sequences, T steps, F features, V columns.
import { secondFeature } from "../../shared/recipe/channel.ts";
import type { Plan } from "../../shared/recipe/recipe.ts";
import type { Column, TabularView } from "../../shared/recipe/tabular.ts";
import type { ColumnsFinding } from "./columns/study.ts";
import type { Diagnosis } from "./diagnosis.ts";
import { expectLoss, express, oneLine, type ScriptInput, splitOf, writeParts } from "./script.ts";

export interface ColumnsScriptInput extends Pick<ScriptInput, "split" | "baseRateLoss"> {
  readonly plan: Pick<Plan, "timesteps" | "features" | "padding">;
  readonly finding: Pick<ColumnsFinding, "learner" | "columns" | "columnsLoss" | "rounds" | "penalty" | "table">;
}

/** The lines for what columns say; undefined where no learner on columns does clearly better. */
export function writeColumnsScript({ columns, fixed, baseRateLoss, ...rest }: Diagnosis): string[] | undefined {
  if (columns === null || fixed === null || baseRateLoss === null) return undefined;
  return writeColumnsLines({ plan: { ...fixed.plan, padding: columns.padding }, finding: columns, split: splitOf(rest), baseRateLoss });
}

/** The lines, which assume X (N,T,F) or (N,T·F) and y (N) of the user's script. Valid rows stand at the end; padding is NaN. */
export function writeColumnsLines({ plan, finding, split, baseRateLoss }: ColumnsScriptInput): string[] {
  const { learner, columns, columnsLoss, table } = finding;
  const { timesteps: T, features, padding } = plan;
  const chosen = columns.map((v) => table.columns[v]);
  const series = [...new Set(chosen.flatMap((column) => (column.kind === "length" ? [] : [column.series])))];
  const used = [
    ...new Set(series.flatMap((s) => [table.tabular.series[s].a, secondFeature(table.tabular.series[s]) ?? table.tabular.series[s].a])),
  ];
  const names = used.sort((a, b) => a - b).map((f) => `f[${f}] ${oneLine(features[f])}`);
  return [
    `import numpy as np; X, y = np.asarray(X, "float64").reshape(-1, ${T}, ${features.length}), np.asarray(y).ravel()  # yours, not scaled`,
    ...writeRows(padding),
    `f = np.moveaxis(X, 2, 0)  # ${names.join(", ")}`,
    writeParts(split),
    ...writeWords(chosen, table.tabular),
    `V = np.column_stack([${chosen.map((column) => expressColumn(column, table.tabular)).join(", ")}])  # ${columns.map((v) => oneLine(table.names[v])).join("; ")}`,
    ...(learner === "trees" ? writeTrees(finding) : writeLinear(finding)),
    `print(log_loss(y[va], model.predict_proba(V[va])[:, 1]))  # ${expectLoss({ split, loss: columnsLoss, baseRateLoss })}`,
  ];
}

function writeRows(padding: Plan["padding"]): string[] {
  if (padding === "none") return [];
  const notZero = "np.any(X != 0, axis=2)";
  const place = "np.take_along_axis";
  return [
    padding === "any"
      ? `ok = ${notZero}  # all-zero rows are padding`
      : `ok = np.logical_or.accumulate(${notZero}, axis=1)  # all-zero rows in front are padding`,
    `X, y, ok = X[ok.any(1)], y[ok.any(1)], ok[ok.any(1)]`,
    ...(padding === "any" ? [`i = np.argsort(ok, axis=1, kind="stable"); X = ${place}(X, i[..., None], 1); ok = ${place}(ok, i, 1)`] : []),
    "X = np.where(ok[..., None], X, np.nan)  # valid rows at the end",
  ];
}

/** L a logarithm, D a movement, M a deviation from the sequence's own mean, F the first value, R a slope: where a column needs them. */
function writeWords(columns: readonly Column[], { series }: Pick<TabularView, "series">): string[] {
  const own = columns.flatMap((column) => (column.kind === "length" ? [] : [{ column, channel: series[column.series] }]));
  const has = (...views: readonly string[]): boolean => own.some(({ channel }) => views.includes(channel.view));
  const takes = (statistic: string): boolean => own.some(({ column }) => column.kind === "statistic" && column.statistic === statistic);
  const words: string[] = [];
  if (has("log", "logDelta") || own.some(({ channel }) => channel.base === "logRatio"))
    words.push("L = lambda a: np.log(np.where(a <= 0, a[(a > 0) & tr[:, None]].min(), a))");
  if (has("delta", "logDelta")) words.push("D = lambda a: np.diff(a, axis=1, prepend=np.nan)");
  if (has("centred")) words.push("M = lambda a: a - np.nanmean(a, axis=1, keepdims=True)");
  if (takes("lastMinusFirst")) words.push("F = lambda a: np.take_along_axis(a, (~np.isnan(a)).argmax(1)[:, None], 1)[:, 0]");
  if (takes("slope")) {
    words.push("C = lambda a: a - np.nanmean(a, axis=1, keepdims=True)");
    words.push(
      "R = lambda a: (lambda t: np.nansum(t * C(a), 1) / np.nansum(t * t, 1))(C(np.where(np.isnan(a), np.nan, np.arange(a.shape[1]))))",
    );
  }
  return words;
}

/** A column of the table in numpy. */
function expressColumn(column: Column, { series, width }: Pick<TabularView, "series" | "width">): string {
  if (column.kind === "length") return "np.isfinite(X[:, :, 0]).sum(1)";
  const channel = series[column.series];
  const plain = express(channel);
  const a = /^[\w.]+(\[\d+\]|\(.*\))$/.test(plain) && channel.base !== "logRatio" ? plain : `(${plain})`;
  const level = (part: number): string =>
    width === 1 ? `${a}[:, -${part + 1}]` : `np.nanmean(${a}[:, -${(part + 1) * width}:${part === 0 ? "" : -part * width}], 1)`;
  switch (column.kind) {
    case "level":
      return level(column.part);
    case "difference":
      return `${level(column.part)} - ${level(column.part + 1)}`;
    case "statistic":
      return {
        mean: `np.nanmean(${a}, 1)`,
        deviation: `np.nanstd(${a}, 1)`,
        min: `np.nanmin(${a}, 1)`,
        max: `np.nanmax(${a}, 1)`,
        lastMinusFirst: `${a}[:, -1] - F(${a})`,
        slope: `R(${a})`,
        change: `np.nanmean(np.abs(np.diff(${a}, axis=1)), 1)`,
      }[column.statistic];
    case "quantile":
      throw new RangeError("no script looks at quantiles");
  }
}

function writeTrees({ rounds }: Pick<ColumnsFinding, "rounds">): string[] {
  const options = `learning_rate=0.05, max_iter=${rounds}, max_leaf_nodes=8, min_samples_leaf=20, l2_regularization=1, early_stopping=False`;
  return [
    "from sklearn.ensemble import HistGradientBoostingClassifier; from sklearn.metrics import log_loss",
    `model = HistGradientBoostingClassifier(${options}).fit(V[tr], y[tr])`,
  ];
}

function writeLinear({ penalty }: Pick<ColumnsFinding, "penalty">): string[] {
  return [
    "from sklearn.linear_model import LogisticRegression; from sklearn.metrics import log_loss",
    "V = np.nan_to_num((V - np.nanmean(V[tr], axis=0)) / np.nanstd(V[tr], axis=0))  # scales of the training part",
    `model = LogisticRegression(C=1 / (${Number(penalty.toPrecision(3))} * tr.sum()), max_iter=1000).fit(V[tr], y[tr])`,
  ];
}
