// How far a diagnosis is, as facts: whoever shows them draws a line or a bar. Knows no clock.
import type { CauseCode } from "./cause.ts";
import type { Signal } from "./signal.ts";

/** In this order; a diagnosis that ends early leaves out the rest. */
export const STAGES = ["data-checks", "signal-test", "experiments", "columns", "network-checks"] as const;
export type Stage = (typeof STAGES)[number];

export interface Progress {
  readonly stage: Stage;
  /** Training runs of this stage that are finished, and that the stage takes at most; both 0 where the stage trains nothing. */
  readonly done: number;
  readonly total: number;
}

/** What is known on the way. Losses are mean held-out log losses in nats. */
export type InterimResult =
  | { readonly kind: "signal"; readonly signal: Signal }
  | { readonly kind: "hypotheses"; readonly codes: readonly CauseCode[] }
  | { readonly kind: "setups"; readonly baseline: number; readonly fixed: number }
  | { readonly kind: "columns"; readonly learner: string; readonly loss: number; readonly network: number }
  | { readonly kind: "ablation"; readonly code: CauseCode; readonly added: number; readonly removed: number };

/** One line for people. */
export function describeInterimResult(result: InterimResult): string {
  switch (result.kind) {
    case "signal": {
      const { auc, probe, p, smallest } = result.signal;
      return `signal: AUC ${auc.toFixed(3)} by ${probe}, p = ${p.toFixed(3)} (an AUC of ${smallest.toFixed(3)} would be found with 80 % power)`;
    }
    case "hypotheses":
      return `hypotheses: ${result.codes.join(", ") || "none"}`;
    case "setups":
      return `held-out log loss: baseline setup ${result.baseline.toFixed(4)}, with every fix ${result.fixed.toFixed(4)}`;
    case "columns":
      return `held-out log loss: ${result.learner} on columns ${result.loss.toFixed(4)}, best network ${result.network.toFixed(4)}`;
    case "ablation":
      return `${result.code}: baseline setup with its fix ${result.added.toFixed(4)}, fixed setup without it ${result.removed.toFixed(4)}`;
  }
}
