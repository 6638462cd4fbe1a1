// What the label checks find, as causes: which of them hold the loss, and how many nats each is worth. Legend: N sequences, T steps, F features.
import type { Padding, Shape } from "../../shared/sequence.ts";
import { checkLabels, type LabelFinding } from "../data/label-checks.ts";
import { describeLabelFinding } from "../data/label-sentences.ts";
import type { Overlap } from "../split/overlap.ts";
import type { Cause, CauseCode } from "./diagnose.ts";

/** A cause from data alone; `gain` is what it is worth in nats. `holds`: it keeps the loss, or what one believes of it, where it is. */
export type LabelFact = Cause & { readonly gain: number; readonly holds: boolean };

const CAUSES: Readonly<Record<LabelFinding["code"], CauseCode>> = {
  "contradictory-copies": "label-conflict",
  "leaking-cell": "leak",
  "leaking-length": "leak",
  copies: "leak",
  "shared-rows": "leak",
  drift: "drift-in-file",
};

/** The facts of `values` (N,T,F) and `labels` (N), whose features are called `names`; `overlap` is these values'. */
export function studyLabels(
  values: Float64Array,
  labels: Uint8Array,
  shape: Shape,
  names: readonly string[],
  reading: Padding,
  overlap: Overlap,
): LabelFact[] {
  return checkLabels(values, labels, shape, reading, overlap).map((finding) => {
    const { evidence, fix } = describeLabelFinding(finding, names);
    return {
      code: CAUSES[finding.code],
      certainty: "fact",
      holds: finding.code !== "copies" && finding.code !== "shared-rows",
      gain: gainOf(finding),
      evidence,
      remedy: fix,
    };
  });
}

/** A cell that holds the answer is worth more than anything else. */
function gainOf(finding: LabelFinding): number {
  switch (finding.code) {
    case "contradictory-copies":
      return finding.floor;
    case "leaking-cell":
      return Number.POSITIVE_INFINITY;
    case "leaking-length":
      return finding.gain;
    case "drift":
      return finding.cost;
    case "copies":
    case "shared-rows":
      return 0;
  }
}
