// The lines that fix the user's own script: at most 15 of Keras and numpy that compute what the fixed setup computes, in float64,
// with scales from the training part alone. Knows only what was found; whoever tests it runs the lines.
// Legend: N sequences, T steps, F features, C channels.
import { type Channel, secondFeature, takesMovement } from "../../shared/recipe/channel.ts";
import type { Plan } from "../../shared/recipe/recipe.ts";
import type { Diagnosis } from "./diagnosis.ts";
import type { BaselineSetup } from "./setup.ts";

export interface TimeSplit {
  readonly by: "time";
  readonly gap: number;
  /** Of the part that the lines hold out; null where that part is empty. */
  readonly baseRateLoss: number | null;
}

export interface ScriptInput {
  /** The channels of the fixed setup. */
  readonly plan: Plan;
  readonly settings: Pick<BaselineSetup, "units" | "batch" | "optimizer" | "learningRate">;
  /** By time where sequences overlap or are ordered: validation is then what comes last, a gap of so many sequences after training. */
  readonly split: { readonly by: "random" } | TimeSplit;
  /** The log loss on held-out sequences of the whole file that was measured with this plan, and the base rate's there. */
  readonly loss: number;
  readonly baseRateLoss: number;
}

export const MAX_LINES = 15;
/** Of the sequences, the first in time or at random ones; the lines hold out the others. */
export const TRAIN_SHARE = 0.8;
/** Standardised channels lie within ±10 (recipe.ts' clip), raw ones below this: no valid row can look like padding. */
const MASK = { standardised: "-99", raw: "-1e9" };
/** Epochs without a better validation loss. */
const PATIENCE = 10;
/** More than early stopping ever lets pass. */
const EPOCHS = 200;

/** The lines for what was found; undefined where no other channels or settings were found to help, and no number is missing. */
export function writeFixScript({ causes, fixed, baseRateLoss, tailBaseRateLoss, gap }: Diagnosis): string[] | undefined {
  if (fixed === null || baseRateLoss === null) return undefined;
  if (fixed.plan.gaps === undefined && causes.every(({ added }) => added === undefined)) return undefined;
  const { plan, settings, loss } = fixed;
  return writeScript({ plan, settings, split: splitOf({ gap, tailBaseRateLoss }), loss, baseRateLoss });
}

/** How lines divide sequences. */
export function splitOf({ gap, tailBaseRateLoss }: Pick<Diagnosis, "gap" | "tailBaseRateLoss">): ScriptInput["split"] {
  return gap > 0 ? { by: "time", gap, baseRateLoss: tailBaseRateLoss } : { by: "random" };
}

/**
 * The lines, which assume X (N,T,F) or (N,T·F) and y (N) of the user's script. Valid rows are moved to the front, as recipe.ts does:
 * a delta is then a difference of neighbours whatever the padding, and a GPU's LSTM takes the mask. Gaps are filled as there. Undefined
 * first deltas are NaN until the scales are known, then 0. Padding gets a value of its own instead of 0, since a valid row may be all zeros.
 */
export function writeScript(input: ScriptInput): string[] {
  const { plan, settings } = input;
  const { padding, channels, standardise } = plan;
  const isMasked = padding !== "none";
  const mask = standardise ? MASK.standardised : MASK.raw;
  const { units, batch, optimizer, learningRate } = settings;
  const filled = "np.nan_to_num(Z)";
  const layers = isMasked ? [`keras.layers.Masking(${mask})`] : [];
  layers.push(`keras.layers.LSTM(${units})`, `keras.layers.Dense(1, activation="sigmoid")`);
  return [
    ...writeRows(input),
    ...writeViews(plan),
    `Z = np.stack([${channels.map(express).join(", ")}], axis=-1)${isMasked ? "; Z[~ok] = np.nan" : ""}`,
    ...(standardise
      ? ["Z = np.clip((Z - np.nanmean(Z[tr], axis=(0, 1))) / np.nanstd(Z[tr], axis=(0, 1)), -10, 10)  # scales of the training part"]
      : []),
    `Z = ${isMasked ? `np.where(ok[..., None], ${filled}, ${mask})` : filled}.astype("float32")`,
    `model = keras.Sequential([${layers.join(", ")}])`,
    `model.compile(optimizer=keras.optimizers.${optimizer === "adam" ? "Adam" : "RMSprop"}(${learningRate}), loss="binary_crossentropy")`,
    `model.fit(Z[tr], y[tr], batch_size=${batch}, epochs=${EPOCHS}, validation_data=(Z[va], y[va]), callbacks=[keras.callbacks.EarlyStopping(patience=${PATIENCE}, restore_best_weights=True)])  # ${input.split.by === "random" ? "val_loss " : ""}${expectLoss(input)}`,
  ];
}

/** Valid rows in front, the parts, and features `f` with their gaps filled; `S` is what was observed. */
function writeRows({ plan: { timesteps: T, features, padding, channels, gaps }, split }: ScriptInput): string[] {
  const F = features.length;
  const used = [...new Set(channels.flatMap((channel) => [channel.a, secondFeature(channel) ?? channel.a]))];
  const names = used.sort((a, b) => a - b).map((f) => `f[${f}] ${oneLine(features[f])}`);
  const lines = [
    `import numpy as np, keras; X, y = np.asarray(X, "float64").reshape(-1, ${T}, ${F}), np.asarray(y).ravel()  # yours, not scaled${gaps ? ", NaN where a number is missing" : ""}`,
  ];
  if (padding !== "none") {
    const notZero = "np.any(X != 0, axis=2)";
    lines.push(
      padding === "any"
        ? `ok = ${notZero}  # all-zero rows are padding`
        : `ok = np.logical_or.accumulate(${notZero}, axis=1)  # all-zero rows in front are padding`,
      `X, y, ok = X[ok.any(1)], y[ok.any(1)], ok[ok.any(1)]`,
      `i = np.argsort(~ok, axis=1, kind="stable"); X = np.take_along_axis(X, i[..., None], 1); ok = np.take_along_axis(ok, i, 1)`,
    );
  }
  const parts = writeParts(split);
  const named = `f = np.moveaxis(X, 2, 0)  # ${names.join(", ")}`;
  if (gaps === undefined) return [...lines, named, parts];
  const known = padding === "none" ? `X[tr].reshape(-1, ${F})` : "X[tr][ok[tr]]";
  const fill = [
    "S = ~np.isnan(X)",
    `i = np.maximum.accumulate(np.where(S, np.arange(${T})[:, None], -1), axis=1)`,
    `X = np.where(i < 0, np.nanmedian(${known}, axis=0), np.take_along_axis(X, np.maximum(i, 0), 1))`,
  ];
  return [...lines, parts, `${fill.join("; ")}  # gaps: the last observed value, else the training median`, named];
}

/** The sequences to train on, and those held out. */
export function writeParts(split: ScriptInput["split"]): string {
  return split.by === "time"
    ? `tr = np.arange(len(X)) < ${TRAIN_SHARE} * len(X); va = np.arange(len(X)) >= ${TRAIN_SHARE} * len(X) + ${split.gap}  # in the order of time, with a gap`
    : `tr = np.random.default_rng(0).permutation(len(X)) < ${TRAIN_SHARE} * len(X); va = ~tr`;
}

/** L a logarithm, D a movement, M a deviation from the sequence's own mean, where a channel needs them. */
function writeViews({ padding, channels, gaps }: Plan): string[] {
  const isMasked = padding !== "none";
  const has = (...views: readonly string[]): boolean => channels.some(({ view }) => views.includes(view));
  const lines: string[] = [];
  if (has("log", "logDelta") || channels.some(({ base }) => base === "logRatio")) {
    const known = isMasked ? "(a > 0) & ok & tr[:, None]" : "(a > 0) & tr[:, None]";
    lines.push(`L = lambda a: np.log(np.where(a > 0, a, a[${known}].min()))  # the lowest positive value stands in for zeros`);
  }
  const movement = "D = lambda a: np.diff(a, axis=1, prepend=np.nan)";
  const centred = `M = lambda a: a - a.mean(axis=1, keepdims=True${isMasked ? ", where=ok" : ""})`;
  const [moves, centres] = [channels.some(takesMovement), has("centred")];
  if (moves && centres && gaps) return [...lines, `${movement}; ${centred}  # movements from the row before; from the sequence's own mean`];
  if (moves) lines.push(`${movement}  # movements: this row minus the one before`);
  if (centres) lines.push(`${centred}  # minus the sequence's own mean`);
  return lines;
}

/** What to expect of the last line's loss. A tail has a positive rate, and so a base rate, of its own. */
export function expectLoss({ split, loss, baseRateLoss }: Pick<ScriptInput, "split" | "loss" | "baseRateLoss">): string {
  const [measured, guessed] = [loss.toFixed(3), baseRateLoss.toFixed(3)];
  if (split.by === "random") return `about ${measured}; the base rate alone: ${guessed}`;
  const tail = split.baseRateLoss === null ? "" : `; on this tail the base rate alone: ${split.baseRateLoss.toFixed(3)}`;
  return `measured over the whole file: ${measured}, the base rate alone: ${guessed}${tail}`;
}

/** A channel of the experiments in numpy: `f` by feature, S what was observed, L, D and M as writeViews has them. */
export function express(channel: Channel): string {
  if (channel.base === "observed") return `1.0 * S[..., ${channel.a}]`;
  if (channel.base === "sinceObserved" || channel.whereObserved || channel.medianFilled)
    throw new RangeError(`no experiment looks at ${channel.base} of gaps`);
  const a = `f[${channel.a}]`;
  const b = `f[${secondFeature(channel)}]`;
  const base = channel.base === "difference" ? `${a} - ${b}` : channel.base === "logRatio" ? `L(${a}) - L(${b})` : a;
  switch (channel.view) {
    case "level":
      return base;
    case "delta":
      return `D(${base})`;
    case "log":
      return `L(${base})`;
    case "logDelta":
      return `D(L(${base}))`;
    case "centred":
      return `M(${base})`;
    case "absDelta":
    case "logAbsDelta":
    case "rate":
      throw new RangeError(`no experiment looks at ${channel.view}`);
  }
}

/** A feature's name inside a comment: no line break gets out of it. */
export function oneLine(name: string): string {
  return name.replace(/[\p{Cc}\p{Zl}\p{Zp}]+/gu, " ");
}
