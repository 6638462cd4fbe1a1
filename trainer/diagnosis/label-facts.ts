// What the label checks find, as causes: which of them keep the loss high, and how many nats each costs. Knows no sentence.
import type { LabelFinding } from "../data/label-checks.ts";
import type { CauseCode } from "./cause.ts";

export interface LabelFact {
  readonly code: CauseCode;
  readonly finding: LabelFinding;
  /** Nats of held-out log loss; infinite for a cell that holds the answer. */
  readonly gain: number;
  /** Whether the loss, or what one believes of the loss, stays where it is because of this. */
  readonly keepsLoss: boolean;
}

const CAUSES: Readonly<Record<LabelFinding["code"], CauseCode>> = {
  "contradictory-copies": "label-conflict",
  "leaking-cell": "leak",
  "leaking-length": "leak",
  copies: "leak",
  "shared-rows": "leak",
  drift: "drift-in-file",
};

/** Copies and shared rows cost nothing: they flatter. */
export function weighLabelFinding(finding: LabelFinding): LabelFact {
  const keepsLoss = finding.code !== "copies" && finding.code !== "shared-rows";
  return { code: CAUSES[finding.code], finding, gain: gainOf(finding), keepsLoss };
}

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
