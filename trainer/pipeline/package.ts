// Fourth step of a training run, and of a recalibration: everything of the model but its metrics, as the artifact holds it.
// Legend: N sequences, C channels.
import { decodeArtifact, encodeArtifact } from "../../shared/artifact/artifact.ts";
import type { Engine } from "../../shared/engine.ts";
import { type Card, computeInputs, type Model, type Reference, score } from "../../shared/model.ts";
import { type Log, shapeOf } from "../../shared/recipe/recipe.ts";
import { openSeriesColumns } from "../../shared/series-columns.ts";
import { chooseGolden } from "../artifact/golden-cover.ts";
import { computeReference, computeSequenceReference } from "../artifact/reference.ts";
import { take } from "../data/sequences.ts";
import { type ChannelView, selectView } from "../learners/learner.ts";
import { pickApart } from "../split/apart.ts";
import { type Labels, takeLabels } from "../statistics/labels.ts";
import { type Costs, chooseOperatingPoints, type Unattained } from "../statistics/operating-points.ts";
import { createRandom } from "../statistics/random.ts";
import { STREAMS } from "../statistics/random-streams.ts";
import type { ScoringDependencies } from "./contract.ts";

export interface PackageInput {
  readonly model: Pick<Model, "name" | "recipe" | "view" | "members" | "stack" | "calibration" | "positiveRate">;
  /** Of all sequences (N). */
  readonly view: ChannelView;
  /** (N,T,F) the same raw. */
  readonly values: Float64Array;
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
  const { model, view, values, labels, calibration, validation, unseen, costs, seed } = input;
  const engine = createEngine(model);
  const probabilitiesOf = (part: ChannelView): Float32Array => engine.probabilities(part);
  const inputs = chooseGolden(model, createRandom(seed, STREAMS.golden), kernel);
  const golden = computeInputs(model, inputs, kernel.log, openSeriesColumns(kernel));
  const indices = Int32Array.from([...validation, ...calibration]);
  const heldOut = selectView(view, indices);
  const unattained: Unattained[] = [];
  const draft: Model = {
    ...model,
    operatingPoints: chooseOperatingPoints(takeLabels(labels, validation), unseen ?? probabilitiesOf(selectView(view, validation)), {
      costs,
      onUnattained: (point) => unattained.push(point),
    }),
    golden: { inputs, probabilities: engine.probabilities(golden) },
    reference: {
      ...computeReference(heldOut, view.timesteps, unseen ?? probabilitiesOf(heldOut)),
      sequences: refer(model.recipe, heldOut, take(values, indices, values.length / labels.length)),
    },
    card: {} as Card,
  };
  const decoded = decodeArtifact(encodeArtifact(draft));
  const served = createEngine(decoded);
  return { model: decoded, engine: served, score: (values) => scoreBlocks(decoded, served, kernel.log, values), unattained };
}

/** Sequences that are scored at once: columns of all would take more memory than the sequences. */
const BLOCK = 4096;

/** (N) probabilities of raw sequences (N,T,F). */
function scoreBlocks(model: Model, engine: Engine, log: Log, values: Float64Array): Float32Array {
  const { timesteps, features } = shapeOf(model.recipe);
  const size = timesteps * features;
  const out = new Float32Array(values.length / size);
  for (let n = 0; n < out.length; n += BLOCK)
    out.set(score(model, engine, log, values.subarray(n * size, (n + BLOCK) * size)).probabilities, n);
  return out;
}

/** What of held-out sequences, `values` raw, is one value a sequence: of those that share no row. */
function refer(recipe: Model["recipe"], heldOut: ChannelView, values: Float64Array): Reference["sequences"] {
  const apart = pickApart(values, shapeOf(recipe), recipe.padding);
  const raw = take(values, apart, values.length / heldOut.lengths.length);
  return computeSequenceReference(selectView(heldOut, apart), raw, recipe.timesteps, recipe.gaps !== undefined);
}
