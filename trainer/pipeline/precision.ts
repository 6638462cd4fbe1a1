// Whether a model's LSTMs are computed in whole numbers of 16 bits, which takes less time and moves probabilities a little.
// Legend: H sequences that some member has not seen.
import { type Predictor, takesInt16, withPrecision } from "../../shared/members.ts";
import type { ChannelView } from "../learners/learner.ts";
import type { Labels } from "../statistics/labels.ts";
import { computeMetrics } from "../statistics/metrics.ts";
import type { PrecisionChoice, ScoringDependencies } from "./contract.ts";
import type { TrainNote } from "./note.ts";

/** How far int16 may move a model for `auto` to take it: the log loss in nats, and any probability. */
const MOST = { logLoss: 1e-5, probability: 1e-3 };

type PrecisionFacts = Omit<Extract<TrainNote, { code: "precision" }>, "code">;

/** The predictor at the precision that `choice` says or finds; `view`: of the H sequences. Facts where there is an LSTM to decide on. */
export function choosePrecision<P extends Predictor>(
  predictor: P,
  view: ChannelView,
  labels: Labels,
  choice: PrecisionChoice = "auto",
  { createEngine }: Pick<ScoringDependencies, "createEngine">,
): { readonly predictor: P; readonly facts?: PrecisionFacts } {
  if (choice === "float" || !predictor.members.some((member) => member.kind === "lstm" && member.networks.every(takesInt16)))
    return { predictor };
  const int16 = withPrecision(predictor, "int16");
  const [before, after] = [predictor, int16].map((each) => createEngine(each).probabilities(view));
  const logLoss = computeMetrics(labels, after).logLoss - computeMetrics(labels, before).logLoss;
  const probability = after.reduce((most, p, n) => Math.max(most, Math.abs(p - before[n])), 0);
  const isTaken = choice === "int16" || (Math.abs(logLoss) <= MOST.logLoss && probability <= MOST.probability);
  return { predictor: isTaken ? int16 : predictor, facts: { precision: isTaken ? "int16" : "float", logLoss, probability } };
}
