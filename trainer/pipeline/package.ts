// Fourth step of a training run, and of a recalibration: everything of the model but its metrics, as the artifact holds it.
// Legend: N sequences, C channels.
import { decodeArtifact, encodeArtifact } from "../../shared/artifact/artifact.ts";
import type { Engine } from "../../shared/engine.ts";
import { type Card, computeInputs, type Model, score } from "../../shared/model.ts";
import { chooseGolden } from "../artifact/golden-cover.ts";
import { computeReference } from "../artifact/reference.ts";
import { type ChannelView, selectView } from "../learners/learner.ts";
import { type Labels, takeLabels } from "../statistics/labels.ts";
import { type Costs, chooseOperatingPoints, type Unattained } from "../statistics/operating-points.ts";
import { createRandom } from "../statistics/random.ts";
import { STREAMS } from "../statistics/random-streams.ts";
import type { ScoringDependencies } from "./contract.ts";

export interface PackageInput {
  readonly model: Pick<Model, "name" | "recipe" | "view" | "members" | "stack" | "calibration" | "positiveRate">;
  /** Of all sequences (N). */
  readonly view: ChannelView;
  /** (N) */
  readonly labels: Labels;
  /** The calibration was fitted on the one; the operating points are chosen on the other. */
  readonly calibration: Int32Array;
  readonly validation: Int32Array;
  /** (validation) what was said of the validation part by members that had not seen it. Default: what the model says. */
  readonly unseen?: Float32Array;
  readonly costs?: Costs;
  readonly seed: number;
}

export interface Packaged {
  /** As decoded from the artifact's bytes: from here on only these count. Its card is empty. */
  readonly model: Model;
  readonly engine: Engine;
  /** (N) what it says of raw sequences (N,T,F). */
  score(values: Float64Array): Float32Array;
  /** Operating points that cannot be had. */
  readonly unattained: readonly Unattained[];
}

/** Chooses operating points, synthesises golden vectors, computes the drift reference, and takes the model through its bytes. */
export function packageModel(input: PackageInput, { kernel, createEngine }: ScoringDependencies): Packaged {
  const { model, view, labels, calibration, validation, unseen, costs, seed } = input;
  const engine = createEngine(model);
  const probabilitiesOf = (part: ChannelView): Float32Array => engine.probabilities(part);
  const inputs = chooseGolden(model, createRandom(seed, STREAMS.golden), kernel.log);
  const golden = computeInputs(model, inputs, kernel.log);
  const heldOut = selectView(view, Int32Array.from([...validation, ...calibration]));
  const unattained: Unattained[] = [];
  const draft: Model = {
    ...model,
    operatingPoints: chooseOperatingPoints(takeLabels(labels, validation), unseen ?? probabilitiesOf(selectView(view, validation)), {
      costs,
      onUnattained: (point) => unattained.push(point),
    }),
    golden: { inputs, probabilities: engine.probabilities(golden) },
    reference: computeReference(heldOut, view.timesteps, unseen ?? probabilitiesOf(heldOut)),
    card: {} as Card,
  };
  const decoded = decodeArtifact(encodeArtifact(draft));
  const served = createEngine(decoded);
  return { model: decoded, engine: served, score: (values) => score(decoded, served, kernel.log, values).probabilities, unattained };
}
