// Sequences that networks learn from beside those of a view: they are held out nowhere, and no choice is made by them.
// Legend: M further sequences.
import type { Labels } from "../../statistics/labels.ts";
import type { FurtherData } from "../../training/stepper.ts";

export interface FurtherSequences extends Pick<FurtherData, "count" | "fill"> {
  readonly labels: Labels;
}

/** Of so many sequences to train on at `train`, those and the further ones, which stand behind all N of a view. */
export function withFurther(train: Int32Array, N: number, further: FurtherSequences | undefined): Int32Array {
  if (further === undefined) return train;
  const all = new Int32Array(train.length + further.count);
  all.set(train);
  for (let m = 0; m < further.count; m++) all[train.length + m] = N + m;
  return all;
}
