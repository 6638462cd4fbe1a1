// What is said beside the causes: plain facts of the data, and the networks' own numbers. Sentences alone; computes nothing.
import { type Channel, usesFloors } from "../../shared/recipe/channel.ts";
import type { LabelFinding } from "../data/label-checks.ts";
import { count, formatNumber, percent, short } from "../html/format.ts";
import type { Diagnosis, FeatureSummary } from "./diagnosis.ts";
import { describeRun, type TrainingSetup } from "./experiment-setup.ts";
import type { PaddingFacts } from "./facts.ts";
import { type BaselineSetup, describeBaselineSetup } from "./setup.ts";

/** Features that are described one by one: what fits a screen. */
export const MAX_DESCRIBED = 12;

/** All notes of a diagnosis, for places without tables: of the features, the data, the networks, and the fixes together. */
export function listNotes({ features, notes, ...diagnosis }: Diagnosis): string[] {
  const described = features.slice(0, MAX_DESCRIBED).map(noteFeature);
  if (features.length > MAX_DESCRIBED) described.push(`and ${features.length - MAX_DESCRIBED} features more`);
  return [...described, ...notes, ...noteNetworks(diagnosis)];
}

function noteFeature({ name, lowest, highest, mean, deviation, within, zeros, missing }: FeatureSummary): string {
  const zero = zeros > 0 ? `, ${percent(zeros)} of its valid entries are 0` : "";
  const gaps = missing > 0 ? `, ${percent(missing)} of its valid entries are missing` : "";
  if (missing === 1) return `${name}: no number at all`;
  return `${name}: ${short(lowest)} … ${short(highest)}, mean ${short(mean)}, standard deviation ${short(deviation)}, ${percent(within)} of its variance within sequences${zero}${gaps}`;
}

/** Sequences that are left out, if any. */
export function noteEmpty(empty: number): string[] {
  return empty === 0 ? [] : [`${count(empty)} sequences are nothing but zeros and are left out.`];
}

/** What windows that were cut from series share, by construction: no leak, since `train` splits such windows by time with a gap, or by series. */
export function noteCutWindows(findings: readonly LabelFinding[]): string[] {
  return findings.flatMap((finding) => {
    if (finding.code === "copies") return [`${count(finding.count)} of ${count(finding.examples)} windows are exact copies of others.`];
    if (finding.code !== "shared-rows") return [];
    return [
      `${count(finding.count)} of ${count(finding.examples)} windows share rows with others, since they were cut from series. quickstep train keeps such windows in one part, or leaves a gap between the parts. A script that shuffles windows before splitting does not.`,
    ];
  });
}

/** What experiments make of missing numbers; `gaps` as a plan has them. */
export function noteGaps(gaps: readonly number[] | undefined): string[] {
  if (gaps === undefined) return [];
  return [
    "Every experiment, the baseline setup's too, fills a gap with the last observed value of its sequence, else with the training median.",
  ];
}

/** Where all-zero rows stand in `examples` sequences. */
export function notePadding({ front, behind, inside, sequences }: PaddingFacts, examples: number): string[] {
  const around =
    front + behind === 0
      ? `No all-zero row stands in front of or behind any of the ${count(examples)} sequences.`
      : `${percent(front)} of all rows are zeros in front and ${percent(behind)} are zeros behind, in ${percent(sequences)} of the sequences.`;
  return inside > 0 ? [around, `${percent(inside)} of all rows are zeros between other rows.`] : [around];
}

/** What experiments without a mask make of padding rows under a logarithm. */
export function noteLogarithms(channels: readonly Channel[]): string[] {
  const isUsed = channels.some((channel) => usesFloors(channel).includes(true));
  return isUsed
    ? ["In an experiment without masking, a zero under a logarithm counts as the lowest positive value of the training part."]
    : [];
}

/** What of the baseline setup no experiment runs as it is said; empty where all of it is. */
export function noteRun(settings: BaselineSetup, training: TrainingSetup): string[] {
  const isRun = settings.units === training.units && settings.batch === training.batch && settings.learningRate === training.rate;
  return isRun
    ? []
    : [
        `The baseline setup is ${describeBaselineSetup(settings)}. Every experiment has the same small budget, so the baseline setup was run as ${describeRun(settings, training)}: losses at the full size may differ.`,
      ];
}

/** The sample, where it is not the whole file. */
export function noteSample(sampled: number, examples: number, seed: number): string[] {
  return sampled < examples ? [`${count(sampled)} of ${count(examples)} sequences were looked at, drawn by seed ${seed}.`] : [];
}

/** Where the baseline setup does no more than guess. */
export function noteGuessing(guess: {
  readonly accuracy: number;
  readonly majority: number;
  readonly loss: number;
  readonly baseRateLoss: number;
}): string[] {
  const { accuracy, majority, loss, baseRateLoss } = guess;
  const notes = [];
  if (Math.abs(accuracy - majority) < 0.005)
    notes.push(
      `The accuracy of the baseline setup, ${percent(accuracy)}, is that of always answering the majority (${percent(majority)}).`,
    );
  if (Math.abs(loss - baseRateLoss) < 0.01)
    notes.push(
      `The loss of the baseline setup, ${loss.toFixed(4)}, is that of always answering the positive rate (${baseRateLoss.toFixed(4)}).`,
    );
  return notes;
}

/** Shares of the gap that the fixes of so many causes gain together, one after the other. `isWithoutLevels`: the fixed setup leaves the levels out. */
export function noteJoint(joint: Diagnosis["joint"], gap: number, isWithoutLevels: boolean): string[] {
  if (joint.length < 2) return [];
  const steps = joint.map(({ code, gain }) => `${Math.round((100 * gain) / gap)} % (+ ${code})`).join(", ");
  const levels = isWithoutLevels ? " The levels are among the inputs of these runs. The fixed setup leaves the levels out." : "";
  return [`One after the other, the fixes recover of the gap of ${gap.toFixed(4)} nats: ${steps}.${levels}`];
}

/** One number of the networks themselves, beside what is usual. */
export interface NetworkNumber {
  readonly name: string;
  readonly note: string;
  readonly baseline: string;
  readonly fixed: string;
}

/** What the networks' own numbers say; empty where nothing was trained. */
export function listNetworkNumbers({ baseline, fixed, tensors }: Pick<Diagnosis, "baseline" | "fixed" | "tensors">): NetworkNumber[] {
  if (baseline === null || fixed === null || tensors === null) return [];
  const rates = (range: readonly [number, number] | null): string => (range === null ? "none" : `${short(range[0])} to ${short(range[1])}`);
  return [
    {
      name: "loss on one batch of 32",
      note: "nats after 300 steps on it alone; near 0 where the inputs reach the network",
      baseline: formatNumber(tensors.baseline.batchLoss),
      fixed: formatNumber(tensors.fixed.batchLoss),
    },
    {
      name: "learning rates at which the loss falls",
      note: `in a ramp of learning rates; the baseline setup trains with ${baseline.settings.learningRate}`,
      baseline: rates(tensors.baseline.rates),
      fixed: rates(tensors.fixed.rates),
    },
    {
      name: "saturated gates",
      note: "below 0.05 or above 0.95",
      baseline: percent(baseline.saturation),
      fixed: percent(fixed.saturation),
    },
    {
      name: "relative change of the weights",
      note: "in one step near the end; 0.001 is usual",
      baseline: short(baseline.updateRatio),
      fixed: short(fixed.updateRatio),
    },
  ];
}

function noteNetworks({ verdict, ...diagnosis }: Pick<Diagnosis, "baseline" | "fixed" | "tensors" | "verdict">): string[] {
  return listNetworkNumbers(diagnosis).map(({ name, note, baseline, fixed }) => {
    const both = verdict.code === "healthy" ? baseline : `baseline setup ${baseline}, fixed setup ${fixed}`;
    return `${name}: ${both} (${note})`;
  });
}
