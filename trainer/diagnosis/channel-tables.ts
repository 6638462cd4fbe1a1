// What a network is given on one fold of the sample: channels with scales from the fold's training part, made once for each choice.
// Legend: M sequences of the sample, T steps, F features, C channels.
import { applyRecipe } from "../../shared/recipe/apply.ts";
import type { Channel } from "../../shared/recipe/channel.ts";
import { fitRecipe } from "../../shared/recipe/fit.ts";
import type { Channels, Log } from "../../shared/recipe/recipe.ts";
import type { Padding, Shape } from "../../shared/sequence.ts";
import type { InputSetup } from "./experiment-setup.ts";
import type { Fold } from "./folds.ts";

export interface ChannelTablesInput {
  /** (M,T,F) */
  readonly values: Float64Array;
  readonly shape: Shape;
  readonly features: readonly string[];
  readonly folds: readonly Fold[];
  /** All that may be given: the F levels first. */
  readonly channels: readonly Channel[];
  /** Channels beyond the levels, as positions in `channels`; differences are those that each fold chose for itself. */
  readonly movement: readonly number[];
  readonly difference: readonly (readonly number[])[];
  /** Channels that tell what is observed, likewise. */
  readonly observed: readonly number[];
  /** As Plan.gaps. */
  readonly gaps?: readonly number[];
  readonly log: Log;
}

/** (M,T,C) of one fold. */
export interface FoldInputs {
  readonly channels: Channels;
  readonly width: number;
  /** The setup as this fold sees it: without what the fold has none of. Equal ones train equal networks. */
  readonly inputs: InputSetup;
}

/** Gives the inputs of fold `k` for a setup; keeps every table that it made. */
export function createChannelTables(input: ChannelTablesInput): (k: number, inputs: InputSetup) => FoldInputs {
  const { values, shape, features, folds, channels, movement, difference, observed, gaps, log } = input;
  const { timesteps, features: F } = shape;
  const levels = Array.from({ length: F }, (_, f) => f);
  const tables = new Map<string, Channels>();
  const tableOf = (k: number, padding: Padding, standardise: boolean, columns: readonly number[]): Channels => {
    const key = `${k} ${padding} ${standardise} ${columns}`;
    let table = tables.get(key);
    if (table === undefined) {
      const plan = { timesteps, features, padding, channels: columns.map((c) => channels[c]), standardise, ...(gaps && { gaps }) };
      table = applyRecipe(fitRecipe(plan, values, folds[k].train, log), values, log);
      tables.set(key, table);
    }
    return table;
  };
  const channelsOf = (k: number, { padding, levels: hasLevels, scaled, addedScaled }: InputSetup, added: readonly number[]): Channels => {
    if (added.length > 0 && !hasLevels) return tableOf(k, padding, addedScaled, added);
    if (added.length === 0 || scaled === addedScaled) return tableOf(k, padding, scaled, [...levels, ...added]);
    const [a, b] = [tableOf(k, padding, scaled, levels), tableOf(k, padding, addedScaled, added)];
    return { ...a, channels: joinColumns(a.channels, b.channels, F, added.length) };
  };
  return (k, inputs) => {
    const added = [...(inputs.movement ? movement : []), ...(inputs.difference ? difference[k] : []), ...(inputs.observed ? observed : [])];
    const width = added.length > 0 && !inputs.levels ? added.length : F + added.length;
    const seen = {
      ...inputs,
      movement: inputs.movement && movement.length > 0,
      difference: inputs.difference && difference[k].length > 0,
      observed: inputs.observed && observed.length > 0,
    };
    return {
      channels: channelsOf(k, inputs, added),
      width,
      inputs: width > F ? seen : { ...seen, addedScaled: seen.scaled },
    };
  };
}

/** (rows,A) and (rows,B) to (rows,A+B). */
function joinColumns(a: Float32Array, b: Float32Array, A: number, B: number): Float32Array {
  const rows = a.length / A;
  const out = new Float32Array(rows * (A + B));
  for (let row = 0; row < rows; row++) {
    out.set(a.subarray(row * A, (row + 1) * A), row * (A + B));
    out.set(b.subarray(row * B, (row + 1) * B), row * (A + B) + A);
  }
  return out;
}
