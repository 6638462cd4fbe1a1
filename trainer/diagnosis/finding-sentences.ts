// Findings as sentences: the evidence with its numbers, and the fix. Computes nothing.
import { describeChannel } from "../../shared/recipe/channel.ts";
import type { FindingText } from "../data/label-sentences.ts";
import { describeRelation } from "../features/facts.ts";
import { percent, short } from "../html/format.ts";
import type { Finding, UnscaledFeature } from "./finding.ts";

/** The finding that has `Code` among its codes. */
type FindingOf<Code extends Finding["code"], Each = Finding> = Each extends Finding ? (Code extends Each["code"] ? Each : never) : never;
type Describe<Code extends Finding["code"]> = (finding: FindingOf<Code>, names: readonly string[]) => FindingText;

/** Features that are listed one by one. */
const MAX_LISTED = 5;

const DESCRIPTIONS: { readonly [Code in Finding["code"]]: Describe<Code> } = {
  "movement-tiny": describeMovement,
  "movement-hidden": describeMovement,
  "difference-hidden": ({ channels }, names) => {
    const list = listFew(channels.map((channel) => describeChannel(channel, names)));
    return {
      evidence: `By score tests, ${list} ${channels.length === 1 ? "says" : "say"} more about the label than all levels and movements.`,
      fix: `Give the network ${list}, standardised.`,
    };
  },
  "features-unscaled": ({ features }, names) => ({
    evidence:
      features.length === 0
        ? "The standard deviation of what the network must see is far from 1."
        : `Features are far from mean 0 and standard deviation 1: ${listFew(features.map((unscaled) => describeUnscaled(unscaled, names)))}.`,
    fix: "Standardise each channel by mean and standard deviation of the training part.",
  }),
  "padding-unmasked": ({ rows, sequences }) => ({
    evidence: `${percent(rows)} of all rows are padding, in ${percent(sequences)} of the sequences.`,
    fix: "Mask the padding: Masking(0.0) before the LSTM.",
  }),
  "gaps-hidden": ({ features }, names) => ({
    evidence: `Filled gaps look like observed numbers, in ${listFew(features.map(({ feature, missing }) => `${percent(missing)} of ${names[feature]}`))}.`,
    fix: "Give the network, beside each filled feature, whether its number was observed: 1 or 0.",
  }),
  "learning-rate-high": describeLearningRate,
  "learning-rate-low": describeLearningRate,
  undertrained: ({ epochs, batchesPerEpoch, steps, enoughEpochs }) => ({
    evidence: `${count(epochs, "epoch")} of ${count(batchesPerEpoch, "batch", "batches")} ${epochs === 1 ? "is" : "are"} ${count(steps, "step")}.`,
    fix: `Train for ${enoughEpochs} epochs or more with early stopping, or use smaller batches.`,
  }),
  overfit: ({ epochs }) => ({
    evidence: `The weights are those of the last of ${count(epochs, "epoch")}.`,
    fix: "Stop early: EarlyStopping(patience=5, restore_best_weights=True).",
  }),
  "constant-feature": ({ feature, value }, names) => ({
    evidence: value === null ? `${names[feature]} has no number at all.` : `${names[feature]} is ${value} in every valid row.`,
    fix: `Leave out ${names[feature]}.`,
  }),
  "redundant-feature": ({ relation, isCopy }, names) => {
    const text = describeRelation(relation, names);
    const name = names[relation.feature];
    return {
      evidence: isCopy ? `${text}: the two features are equal.` : `${text}, to seven digits: ${name} adds no information.`,
      fix: `Leave out ${name}.`,
    };
  },
  leak: ({ copies, examples }) => ({
    evidence: `${copies} of ${examples} test sequences (${percent(copies / examples)}) stand in the training data as well. The test metrics are those of sequences that the network has seen.`,
    fix: "Split once, before anything else, and keep a test part that neither trained, stopped, nor chose anything.",
  }),
  "non-finite": ({ numbers, infinite, allNumbers, sequences, examples, first: { sequence, step, feature, value } }, names) => ({
    evidence: `${numbers} of ${allNumbers} numbers are NaN or infinite, in ${sequences} of ${examples} sequences, first ${names[feature]} at step ${step + 1} of sequence ${sequence + 1}: X[${sequence}][${step}][${feature}] (${value}). One such number in a batch makes the loss and every weight NaN.`,
    fix: [
      ...(infinite > 0 ? ["Leave out the sequences with infinite numbers: X = X[~np.isinf(X).any(axis=(1, 2))]."] : []),
      ...(numbers > infinite
        ? ["Fill each gap with the last observed value of its sequence, and with the median of the training part before there is one."]
        : []),
    ].join(" "),
  }),
  "labels-invalid": describeInvalidLabels,
  "one-class": ({ examples, label }) => ({
    evidence: `All ${examples} usable labels are ${label}. The loss falls to 0 by always answering ${label}, and nothing is learnt.`,
    fix: "Check how the labels were made: training needs both.",
  }),
  "too-few": describeTooFew,
  "no-signal": ({ signal: { probe, auc, p, permutations, smallest }, bestGain }) => ({
    evidence: `The better of two probes, ${probe}, reaches AUC ${auc.toFixed(3)} on held-out sequences (p = ${p.toFixed(3)} over ${permutations} permutations). No network is better than the base rate beyond chance (best gain ${bestGain.toFixed(4)} nats). An AUC of ${smallest.toFixed(3)} would have been found with 80 % power.`,
    fix: "Check whether these features can say anything about the label. Other features or another label help more than more training.",
  }),
};

/** `names` are those of the features. */
export function describeFinding(finding: Finding, names: readonly string[]): FindingText {
  return (DESCRIPTIONS[finding.code] as Describe<Finding["code"]>)(finding, names);
}

function describeMovement({ features, channels }: FindingOf<"movement-tiny">, names: readonly string[]): FindingText {
  const changes = features.map(({ feature, movement }) => `${names[feature]} ${short(movement)}`);
  return {
    evidence: `From row to row, features change by less than their standard deviation (change in standard deviations: ${listFew(changes)}).`,
    fix: `Give the network ${listFew(channels.map((channel) => describeChannel(channel, names)))}, standardised.`,
  };
}

function describeUnscaled({ feature, mean, deviation, reason }: UnscaledFeature, names: readonly string[]): string {
  if (reason === "spread") return `${names[feature]} is ${short(mean)} ± ${short(deviation)}`;
  return `the mean of ${names[feature]} is ${short(Math.abs(mean) / deviation)} standard deviations`;
}

function describeLearningRate({ learningRate, optimizer }: FindingOf<"learning-rate-high">): FindingText {
  return { evidence: `The learning rate is ${learningRate}.`, fix: `Use ${optimizer} with a learning rate of 0.001.` };
}

function describeInvalidLabels(finding: FindingOf<"labels-invalid">): FindingText {
  if (finding.reason === "missing")
    return {
      evidence: "The file holds no labels.",
      fix: "Give the labels in a file with --labels, as an array y, or as a column named label.",
    };
  const { invalid, examples, first, values, positive } = finding;
  const list = `${values.slice(0, MAX_LISTED).join(", ")}${values.length > MAX_LISTED ? ", …" : ""}`;
  return {
    evidence: `${invalid} of ${examples} labels are neither 0 nor 1, first y[${first.sequence}] = ${first.value} (invalid values: ${list}). Binary cross-entropy has no minimum for such labels.`,
    fix:
      positive === null
        ? "Map the labels to 0 and 1, and leave out sequences without a label."
        : `Map the two values to 0 and 1: y = (y == ${positive}).astype(int)`,
  };
}

function describeTooFew(finding: FindingOf<"too-few">): FindingText {
  if (finding.reason === "groups")
    return {
      evidence: `The sequences form ${count(finding.groups, "group")} that share rows. No groups can be held out that leave both labels on either side.`,
      fix: "Bring sequences of more, or longer, series.",
    };
  const { examples, rarer, enough, enoughOfALabel } = finding;
  const error = (1.2 / Math.sqrt(Math.max(1, examples / 5))).toFixed(2);
  return {
    evidence: `The data have ${count(examples, "usable sequence")}, ${rarer} of the rarer label. The standard error of a loss held out on a fifth of them is about ${error} nats, more than most signals are worth.`,
    fix: `Bring at least ${enough} sequences and ${enoughOfALabel} of each label; some thousands are better.`,
  };
}

/** The first few, and how many more there are. */
function listFew(items: readonly string[]): string {
  const more = items.length - MAX_LISTED;
  return more > 0 ? `${items.slice(0, MAX_LISTED).join(", ")}, and ${more} more` : items.join(", ");
}

/** `1 epoch`, `5 epochs` */
function count(n: number, one: string, many = `${one}s`): string {
  return `${n} ${n === 1 ? one : many}`;
}
