// What a report shows of a training run beyond the model. Legend: N sequences.
import type { ReliabilityBin } from "../../shared/model.ts";
import type { Labelled } from "../data/sequences.ts";
import { selectView } from "../learners/learner.ts";
import type { ReportInput } from "../report/gather.ts";
import type { Baselines } from "./baselines.ts";
import type { Fitted } from "./fit-network.ts";
import type { Prepared } from "./prepare.ts";
import type { Represented } from "./represent.ts";

export type Evidence = Pick<ReportInput, "history" | "data" | "leftOut" | "split" | "validation" | "test" | "reliability" | "gap">;

/** The test part with what the model and the baselines say of it. */
export interface TestEvidence {
  readonly test: Labelled;
  readonly probabilities: Float32Array;
  readonly baselineProbabilities: Readonly<Record<string, Float64Array>>;
  readonly reliability: readonly ReliabilityBin[];
}

/** Gathers what a report needs. */
export function gatherEvidence(
  { data, usable, split, gap }: Prepared,
  { view }: Represented,
  { member }: Fitted,
  baselines: Baselines,
  { test, probabilities, baselineProbabilities, reliability }: TestEvidence,
): Evidence {
  return {
    history: member.fit.history,
    data: { values: usable.values, labels: usable.labels },
    leftOut: data.labels.length + (data.validation?.labels.length ?? 0) - usable.labels.length,
    split,
    validation: baselines(selectView(view, split.validation)),
    test: { values: test.values, labels: test.labels, probabilities, baselines: baselineProbabilities },
    reliability,
    gap,
  };
}
