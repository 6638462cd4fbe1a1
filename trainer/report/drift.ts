// New sequences held against a model's reference: the facts of a drift check, one sequence after the other as they lie in the file.
// Legend: N sequences, T steps, F features.
import { evidenceOf } from "../../shared/drift/martingale.ts";
import { type DriftReport, openWatch, reportDrift, take as takeSequence } from "../../shared/drift/watch.ts";
import { observe, watchedOf } from "../../shared/drift/watched.ts";
import type { Engine } from "../../shared/engine.ts";
import { computeInputs, type Model } from "../../shared/model.ts";
import { type Log, shapeOf } from "../../shared/recipe/recipe.ts";
import { lengthsOf, take } from "../data/sequences.ts";
import { pickApart } from "../split/apart.ts";

/** Points of the curve of the evidence. */
const POINTS = 400;

/** What a check comes to. */
export interface DriftCheck extends DriftReport {
  /** Sequences of the data that are more than padding, of which `sequences` share no row. */
  readonly given: number;
  /** The evidence after so many sequences. */
  readonly curve: readonly { readonly sequences: number; readonly evidence: number }[];
}

/** Watches `values` (N,T,F) raw. Sequences of nothing but padding are left out, as are those that share rows with one that is taken. */
export function checkDrift(model: Model, engine: Engine, log: Log, values: Float64Array): DriftCheck {
  const shape = shapeOf(model.recipe);
  const size = shape.timesteps * shape.features;
  const lengths = lengthsOf(values, shape, model.recipe.padding);
  const whole = take(
    values,
    Int32Array.from(lengths.keys()).filter((n) => lengths[n] > 0),
    size,
  );
  const apart = take(whole, pickApart(whole, shape, model.recipe.padding), size);
  const inputs = computeInputs(model, apart, log, engine.series);
  const probabilities = engine.probabilities(inputs);
  const watched = watchedOf(model);
  const watch = openWatch(watched);
  const every = Math.max(1, Math.floor(probabilities.length / POINTS));
  const curve: { sequences: number; evidence: number }[] = [];
  for (let n = 0; n < probabilities.length; n++) {
    const alarms = takeSequence(watch, watched, observe(watched, inputs, apart, n, probabilities[n]));
    if (watched.basis === "sequences" && (alarms || n % every === 0 || n === probabilities.length - 1))
      curve.push({ sequences: n + 1, evidence: evidenceOf(watch, watched.quantities) });
  }
  return { ...reportDrift(watch, watched, log), given: whole.length / size, curve };
}

/** What a check found, in one sentence. */
export function describeDrift({ basis, alarm, alarmAfter, sequences, quantities, evidence, alarmAt }: DriftCheck): string {
  if (basis === "none") return "The model has no drift reference: quickstep calibrate gives it one, from labelled sequences.";
  const [first] = quantities;
  if (basis === "rows")
    return `The model is of format 1: its reference allows no test. The least stable of its quantities is ${first.name}${first.stability === null ? "" : ` (population stability ${first.stability.toFixed(3)})`}.`;
  if (alarm)
    return `These sequences are not like those of the reference: the alarm came after ${alarmAfter} of ${sequences} sequences. Most of the evidence is in ${first.name}.`;
  return `Nothing drifts as far as ${sequences} sequences tell: the evidence is ${evidence!.toPrecision(3)}, and the alarm is at ${alarmAt}.`;
}
