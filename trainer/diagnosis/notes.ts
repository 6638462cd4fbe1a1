// What is said beside the causes: plain facts of the data, and the networks' own numbers. Sentences alone; computes nothing.
import { count, formatNumber, percent, short } from "../html/format.ts";
import type { DataFacts } from "./facts.ts";
import type { BaselineSetup } from "./setup.ts";
import type { Tensors } from "./tensors.ts";

/** Features that are described one by one: what fits a screen. */
const MAX_DESCRIBED = 12;

/** Sequences that are left out, if any. */
export function noteEmpty(empty: number): string[] {
  return empty === 0 ? [] : [`${empty} sequences are nothing but zeros and are left out`];
}

/** Each feature's range and spread, and where all-zero rows stand. `names` (F), `examples` sequences. */
export function noteData({ features, within, zeros, padding }: DataFacts, names: readonly string[], examples: number): string[] {
  const { lowest, highest, mean, deviation } = features;
  const notes = names.slice(0, MAX_DESCRIBED).map((name, f) => {
    const zero = zeros[f] > 0 ? `, ${percent(zeros[f])} of its valid entries are 0` : "";
    return `${name}: ${short(lowest[f])} … ${short(highest[f])}, mean ${short(mean[f])}, standard deviation ${short(deviation[f])}, ${percent(within[f])} of its variance within sequences${zero}`;
  });
  if (names.length > MAX_DESCRIBED) notes.push(`and ${names.length - MAX_DESCRIBED} features more`);
  const { front, behind, inside, sequences } = padding;
  notes.push(
    front + behind === 0
      ? `no all-zero row stands in front of or behind any of the ${count(examples)} sequences`
      : `padding: ${percent(front)} of all rows are zeros in front and ${percent(behind)} zeros behind, in ${percent(sequences)} of the sequences`,
  );
  if (inside > 0) notes.push(`${percent(inside)} of all rows are zeros between others`);
  return notes;
}

/** The sample, where it is not the whole file. */
export function noteSample(sampled: number, examples: number, seed: number): string[] {
  return sampled < examples ? [`${count(sampled)} of ${count(examples)} sequences were looked at, drawn by seed ${seed}`] : [];
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
    notes.push(`the accuracy of the baseline setup, ${percent(accuracy)}, is that of always answering the majority (${percent(majority)})`);
  if (Math.abs(loss - baseRateLoss) < 0.01)
    notes.push(
      `the loss of the baseline setup, ${loss.toFixed(4)}, is that of always answering the base rate (${baseRateLoss.toFixed(4)})`,
    );
  return notes;
}

/** What a network's own numbers say. */
export interface NetworkNumbers extends Tensors {
  readonly saturation: number;
  readonly updateRatio: number;
}

/** Of the baseline setup, and of the fixed one where there is one. */
export function noteNetworks(baseline: NetworkNumbers, fixed: NetworkNumbers | null, { learningRate }: BaselineSetup): string[] {
  const both = (say: (numbers: NetworkNumbers) => string): string =>
    fixed === null ? `baseline setup ${say(baseline)}` : `baseline setup ${say(baseline)}, fixed setup ${say(fixed)}`;
  return [
    `loss on one batch of 32 after 300 steps on it alone: ${both(({ batchLoss }) => formatNumber(batchLoss))} nats (near 0 where the inputs reach the network)`,
    `learning rates at which the loss falls in a ramp: ${both(({ rates }) => (rates === null ? "none" : `${short(rates[0])} to ${short(rates[1])}`))} (the baseline setup trains with ${learningRate})`,
    `gates below 0.05 or above 0.95: ${both(({ saturation }) => percent(saturation))}`,
    `change of the weights in one step near the end: ${both(({ updateRatio }) => short(updateRatio))} of their size (0.001 is usual)`,
  ];
}

/** Shares of the gap that the fixes of so many causes gain together, one after the other. */
export function noteJoint(joint: readonly { readonly code: string; readonly gain: number }[], gap: number): string[] {
  if (joint.length < 2) return [];
  const steps = joint.map(({ code, gain }) => `+ ${code} ${Math.round((100 * gain) / gap)} %`).join(", ");
  return [`fixed one after the other: ${steps} of the gap of ${gap.toFixed(4)} nats`];
}
