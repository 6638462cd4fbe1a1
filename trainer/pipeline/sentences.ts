// What training and recalibration find, as sentences: notes on the way, warnings for the card, the verdict. Computes nothing.
import type { Card } from "../../shared/model.ts";
import { describeChannel } from "../../shared/recipe/channel.ts";
import { countedStep, describeLabelFinding } from "../data/label-sentences.ts";
import { describeRelation } from "../features/facts.ts";
import type { PaddingChoice } from "../features/padding.ts";
import type { LeftUntried, WholesaleStep } from "../features/search-state.ts";
import { count } from "../html/format.ts";
import { describeSplit } from "../split/reason.ts";
import type { Unattained } from "../statistics/operating-points.ts";
import type { LossNote } from "../training/loss-watch.ts";
import type { Flaw } from "./data-checks.ts";
import type { LearnerWorth } from "./join.ts";
import type { TrainNote } from "./note.ts";
import { MIN_TO_JUDGE, MIN_TO_LEARN, type VerdictFacts } from "./verdict.ts";
import type { Warning } from "./warning.ts";

/** What takes the place of the channels found so far, or joins them. */
const WHOLESALE: Readonly<Record<WholesaleStep, string>> = {
  "observed-levels-instead": "levels where observed instead",
  "plain-channels-instead": "levels and deltas of all features instead",
  "plain-channels-added": "with levels and deltas of all features",
};

/** Of notes that say nothing but their code. */
const PLAIN = {
  "nothing-found": "  nothing is better than the base rate on held-out sequences: levels and deltas of all features stand in",
  "base-rate-stands-in":
    "the network is not better than the base rate on the validation part beyond chance: the model answers the base rate",
  "calibration-stays":
    "calibration: no slope above 0 gains more than chance would, so the calibration stays: every probability is as before. Operating points, metrics and the drift reference are of these data",
};

/** What becomes of so many sequences. */
const HELD_OUT = {
  "validation-given": (count: number) =>
    `validation: the ${count} sequences that the data bring are held out: nothing learns from them, and every choice is made on them`,
  nested: (count: number) =>
    `${count} sequences are too few for a test part: nested cross-validation judges the whole path on every one of them`,
};

/** One line; `names` are those of the features. */
export function describeNote(note: TrainNote, names: readonly string[]): string {
  switch (note.code) {
    case "left-out":
      return `${note.source}: ${note.sequences === 1 ? "one sequence" : `${note.sequences} sequences`} without a valid row left out`;
    case "split":
      return describeSplit(note.split);
    case "gaps":
      return describeGaps(note, names);
    case "clock":
      return `times: ${note.isUsed ? "channels look" : "no channel looks"} at ${note.name}, so that scoring takes ${note.isUsed ? "the time of each row" : "no times"}`;
    case "warning":
      return `note: ${describeWarning(note.warning, names)}`;
    case "padding":
      return `padding: ${note.choice.padding} (${describePadding(note.choice)})`;
    case "constant-features":
      return `constant on the training part, left out: ${note.features.map((f) => names[f]).join(", ")}`;
    case "redundant-feature":
      return `redundant, left out: ${describeRelation(note.relation, names)}`;
    case "channel-added":
    case "channel-removed":
      return `  ${note.code === "channel-added" ? "+" : "−"} ${describeChannel(note.channel, names)}: ${describeStep(note)}`;
    case "channels-removed":
      return `  − ${note.count} channels that say least by themselves: ${describeStep(note)}`;
    case "left-untried":
      return `  left untried, since there are many features: ${describeLeftUntried(note)}`;
    case "observed-levels-instead":
    case "plain-channels-instead":
    case "plain-channels-added":
      return `  ${WHOLESALE[note.code]}: ${describeStep(note)}`;
    case "teacher-pays":
      return `  a logistic regression on the same channels teaches the network: ${describeStep(note)}`;
    case "search-losses":
      return `held-out log loss in the search: base rate ${note.baseRate.toFixed(4)}, levels and deltas ${note.plain.toFixed(4)}, chosen ${note.chosen.toFixed(4)}${note.chosen > note.plain ? " (what levels and deltas gain by comparison is no more than chance would bring)" : ""}`;
    case "channels":
      return `channels: ${note.channels.map((channel) => describeChannel(channel, names)).join(", ")}`;
    case "training-target":
      return describeTarget(note);
    case "sampled":
    case "further":
    case "members":
    case "gate":
    case "kept":
      return describeStackNote(note);
    case "precision":
      return describePrecision(note);
    case "validation-given":
    case "nested":
      return HELD_OUT[note.code](note.sequences);
    case "calibration":
      return `calibration: slope ${note.slope.toFixed(4)}, intercept ${note.intercept.toFixed(4)}`;
    case "nothing-found":
    case "base-rate-stands-in":
    case "calibration-stays":
      return PLAIN[note.code];
    default:
      return `loss: ${describeLossNote(note)}`;
  }
}

/** How several learners are fitted, weighed and joined. */
function describeStackNote(note: Extract<TrainNote, { code: "sampled" | "further" | "members" | "gate" | "kept" }>): string {
  switch (note.code) {
    case "sampled":
      return `every learner learns from ${count(note.taken)} of ${count(note.sequences)} sequences, evenly spread; networks that learn from labels alone from all`;
    case "further":
      return describeFurther(note);
    case "members":
      return `out-of-fold log loss: ${describeWorth(note.learners, note.logLoss)}`;
    case "gate":
      return describeGate(note);
    case "kept":
      return describeKept(note);
  }
}

function describeTarget({ target }: Extract<TrainNote, { code: "training-target" }>): string {
  return target.teacher === "none"
    ? "on labels alone:"
    : `on a teacher's probabilities (${target.teacher}, distillation weight ${target.distillationWeight}) and labels:`;
}

function describePrecision({ precision, logLoss, probability }: Extract<TrainNote, { code: "precision" }>): string {
  const moved = `the log loss by ${Math.abs(logLoss).toExponential(1)} and no probability by more than ${probability.toExponential(1)}`;
  return precision === "int16"
    ? `the LSTM is computed in whole numbers of 16 bits, which moves ${moved}`
    : `the LSTM is computed in float32, since 16 bits would move ${moved}`;
}

function describeKept({ gain, standardError, share }: Extract<TrainNote, { code: "kept" }>): string {
  return `the out-of-fold gain over the base rate is ${gain.toFixed(4)} ± ${standardError.toFixed(4)}, which may be chance: the model keeps ${percent(share)} of its distance from the base rate`;
}

function describeFurther({ sequences, of }: Extract<TrainNote, { code: "further" }>): string {
  const others = of - sequences;
  return `networks learn from ${count(sequences)} sequences beside the sample${others > 0 ? `, and not from ${count(others)} that lie beside a held-out one or are more than memory holds` : ""}`;
}

function describeGate({ joins, gain, standardError, asked, learner }: Extract<TrainNote, { code: "gate" }>): string {
  const least = asked === 0 ? "any gain" : `a gain above ${asked === 1 ? "one standard error" : "two standard errors"}`; // older artifacts do not say it: two
  return `${learner === "layers" ? "the network of layers" : "the lstm"} ${joins ? "joins" : "is left out"}: beside the others it gains ${gain.toFixed(4)} ± ${standardError.toFixed(4)} out of folds; to join it needs ${least} there, and any gain on the fold that the feature search did not see`;
}

/** `missing in the training part: 1,204 of open (12.0 %), 31 of age (2.0 % of the sequences), …` */
function describeGaps({ features, isOfWindows }: Extract<TrainNote, { code: "gaps" }>, names: readonly string[]): string {
  const how = "filled by the last observed value of the sequence, before it by the training median";
  if (features.length === 0) return `missing: no number of the training part; gaps are ${how}`;
  const list = features.map(
    ({ feature, missing, of, isStatic }) =>
      `${count(missing)} of ${names[feature]} (${percent(missing / of)}${isStatic ? " of the sequences" : ""})`,
  );
  const where = isOfWindows ? " (a row counts in each window that holds it)" : "";
  return `missing in the training part${where}: ${list.join(", ")}; ${how}`;
}

/** `linear .431, trees .404 → stack .399 (0.2 linear + 0.8 trees)`. */
export function describeWorth(learners: readonly LearnerWorth[], logLoss: number): string {
  const losses = learners.map((own) => `${own.name} ${shorten(own.logLoss)}`);
  const shares = learners.filter(({ weight }) => weight > 0).map(({ name, weight }) => `${weight.toFixed(2)} ${name}`);
  return `${losses.join(", ")} → stack ${shorten(logLoss)} (${shares.join(" + ")})`;
}

function shorten(loss: number): string {
  return loss.toFixed(3).replace(/^0/, "");
}

function describeStep({ before, after }: { readonly before: number; readonly after: number }): string {
  return `${before.toFixed(4)} → ${after.toFixed(4)}`;
}

function describeLeftUntried({ pairs, views, candidates, channels }: LeftUntried): string {
  const parts = [
    pairs > 0 && `${count(pairs)} pairs of features`,
    views > 0 && `${count(views)} views of features and pairs`,
    candidates > 0 && `${count(candidates)} candidates beside the first channel`,
    channels > 0 && `the removal of single channels among ${count(channels)}`,
  ];
  return parts.filter((part) => part !== false).join(", ");
}

function describePadding({ zeroShare, losses }: PaddingChoice): string {
  if (losses.length === 0)
    return zeroShare === 0
      ? "all-zero rows stand in front only: padding"
      : "all-zero rows stand in front, but for fewer than one row in a thousand: padding";
  const figures = losses.map(({ padding, loss }) => `${padding} ${loss.toFixed(4)}`).join(", ");
  return `${percent(zeroShare)} of the rows inside sequences are all zero; log loss by reading: ${figures}`;
}

function describeLossNote(note: LossNote): string {
  switch (note.code) {
    case "initial-loss":
      return `the initial loss is ${note.loss.toFixed(4)}; the loss of the base rate is ${note.baseRateLoss.toFixed(4)}, that of one half ${Math.LN2.toFixed(4)}: ${note.isExpected ? "as expected" : "the inputs are too large for the initial weights"}`;
    case "loss-diverges":
      return `the validation loss after epoch ${note.epoch} is ${note.loss.toFixed(4)}, more than twice the base rate's: the learning rate is too high, or the inputs are too large`;
    case "loss-flat":
      return `the validation loss is still at the base rate after epoch ${note.epoch}: training may start slowly, and diagnose finds the cause in a minute`;
    case "overfitting":
      return `the validation loss has risen for ${note.epochs} epochs, above the lowest beyond noise, while the training loss fell: overfitting; weights of an earlier epoch are kept`;
  }
}

/** One or two sentences; `names` are those of the features. */
export function describeWarning(warning: Warning, names: readonly string[]): string {
  switch (warning.code) {
    case "float32-differences":
      return `The data came as ${warning.dtype}, about ${warning.dtype === "float16" ? "three" : "seven"} digits, and the recipe takes differences. Most differences of ${warning.features.map((f) => names[f]).join(", ")} have less than two digits left: save the data as float64.`;
    case "zero-rows-inside":
      return `${count(warning.rows)} all-zero rows stand after the first data row of their sequence and count as data. Use --padding any if these rows are padding.`;
    case "precision-unattained":
      return describeUnattained("precision", warning);
    case "recall-unattained":
      return describeUnattained("recall", warning);
    default: {
      const { evidence, fix } = describeLabelFinding(warning, names);
      return `${evidence} ${fix}`;
    }
  }
}

function describeUnattained(figure: string, { target, threshold, figure: { value, low } }: Unattained): string {
  return `${capitalise(figure)} ≥ ${target} cannot be promised, so there is no operating point for it. The best threshold is ${threshold.toFixed(4)}: ${figure} there is ${value.toFixed(3)} on held-out sequences, and at least ${low.toFixed(3)} with 95 % confidence.`;
}

/**
 * Which epoch's weights are kept, and the one with the lowest validation loss where that is another: as a clause without a full stop.
 * Artifacts from before `lowestEpoch` name the kept one alone.
 */
export function describeKeptEpoch({ epochs, bestEpoch, lowestEpoch }: Card["training"]): string {
  if (bestEpoch === 0) return `no epoch of ${epochs} betters the initial weights`;
  if (lowestEpoch === undefined) return `weights of epoch ${bestEpoch} of ${epochs}`;
  return lowestEpoch === bestEpoch
    ? `weights of epoch ${bestEpoch} of ${epochs}: the lowest validation loss`
    : `weights of epoch ${bestEpoch} of ${epochs}: the latest with a validation loss not above that of epoch ${lowestEpoch}, the lowest, beyond noise`;
}

/** What a training run amounts to, for people; the code is for programs. */
export interface Verdict {
  readonly code: VerdictFacts["code"];
  readonly text: string;
  /** The one step that would help most. */
  readonly next: string;
}

/** `names` are those of the features. */
export function describeVerdict(facts: VerdictFacts, names: readonly string[]): Verdict {
  const figures = `log loss ${facts.logLoss.toFixed(4)} against ${facts.baseRateLogLoss.toFixed(4)} of the base rate`;
  switch (facts.code) {
    case "too-few-examples": {
      const { label, count, inTest, canLearn, canJudge } = facts;
      const purpose = [!canLearn && "to learn from", !canJudge && "to judge by"].filter(Boolean).join(" or ");
      const classes = `${label}${count === 1 ? "" : "s"}`;
      const isNested = inTest === count; // each is judged in turn: there is no test part
      return {
        code: facts.code,
        text: `${count} ${classes}${isNested ? "" : `, ${inTest} of them in the test part`}: too few ${purpose}. The figures mean little: ${figures}.`,
        next: `Train with more sequences of label ${label}: at least ${MIN_TO_LEARN}${isNested ? "" : ` in the training part and ${MIN_TO_JUDGE} in the test part`}.`,
      };
    }
    case "bad-data": {
      const { text, next } = describeFlaw(facts.flaw, names);
      return { code: facts.code, text: `${text}. The figures mean little: ${figures}.`, next };
    }
    case "no-better-model-found":
      return {
        code: facts.code,
        text: `The ${facts.baseline} on the same channels is better (${facts.baselineLogLoss.toFixed(4)}): ${figures}.`,
        next: describeRestraint(facts) ?? "Train on more sequences, or use the simpler model: at this size it generalises better.",
      };
    case "base-rate-only":
      return {
        code: facts.code,
        text: `The model answers no better than the base rate: ${figures}.`,
        next:
          describeRestraint(facts) ??
          "Check whether these features can say anything about the label: further features, or another label, help more than more sequences.",
      };
    case "learned": {
      const comparison = facts.isBetterThanLogistic ? "better than" : "level with";
      return {
        code: facts.code,
        text: `Learned: ${figures}, ${comparison} logistic regression (${facts.logisticLogLoss.toFixed(4)}).`,
        next:
          describeRestraint(facts) ??
          (facts.isOverfit
            ? `More sequences would help most: the loss on the training part is ${facts.trainLogLoss.toFixed(4)}.`
            : `Further features or a longer history would help most: the loss on the training part, ${facts.trainLogLoss.toFixed(4)}, is ${facts.trainLogLoss < facts.logLoss ? "not much below" : "above"} this, so more sequences would change little.`),
      };
    }
  }
}

/** The next step where an option held the run back. */
function describeRestraint({ restraint }: Pick<VerdictFacts, "restraint">): string | undefined {
  switch (restraint?.code) {
    case undefined:
      return undefined;
    case "recipe-raw":
      return "Train without --recipe raw: the feature search looks for what the numbers as they are do not show.";
    case "few-epochs":
      return `Train without --epochs ${restraint.epochs}: a run on so many sequences usually takes ${restraint.usual} epochs.`;
    case "few-units":
      return `Train without --units ${restraint.units}: a network for so many sequences usually has ${restraint.usual} units.`;
  }
}

/** What about the data makes the figures worthless or misleading, and what to do about it; `names` are those of the features. */
export function describeFlaw(flaw: Flaw, names: readonly string[]): { readonly text: string; readonly next: string } {
  switch (flaw.code) {
    case "leaking-cell":
      return describeLeak(names[flaw.feature], `${names[flaw.feature]} at ${countedStep(flaw.step)}`, flaw.auc);
    case "leaking-length":
      return describeLeak("the length", "the length of a sequence", flaw.auc);
    case "crosses-parts":
      return {
        text: `${percent(flaw.share)} of the sequences share rows with another part of this split, so the test part is not new to the model`,
        next: "Train with --split auto: sequences that share rows then stay in one part.",
      };
    case "test-seen":
      return {
        text: `${percent(flaw.share)} of the test sequences are among those trained on; ${percent(flaw.recurring)} of the training data recur within the training data`,
        next: "Leave these sequences out of one of the two files and train again.",
      };
    case "labels-unrelated":
      return {
        text: `${percent(flaw.share)} of the sequences have an exact equal, and the labels of equals agree no more often than those of any two`,
        next: "Check how labels were joined to sequences: a key or an order was lost, or the label depends on something that is not in the file.",
      };
  }
}

function describeLeak(what: string, where: string, auc: number): { readonly text: string; readonly next: string } {
  return {
    text: `${capitalise(where)} alone ranks the labels with AUC ${auc.toFixed(4)}: ${what} was made from the label, or leaves a network nothing to do`,
    next: `Check whether ${what} is known when the score is needed. If not, leave ${what} out and train again. If so, compare the model with ${what} alone.`,
  };
}

function percent(share: number): string {
  return `${(100 * share).toFixed(1)} %`;
}

function capitalise(text: string): string {
  return text[0].toUpperCase() + text.slice(1);
}
