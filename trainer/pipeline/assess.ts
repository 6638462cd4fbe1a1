// Last step of a training run, and of a recalibration: metrics of the decoded artifact on the untouched test part, and the bytes that
// hold them. Every metric comes from the decoded artifact and the kernel that serves it.
import { decodeArtifact, encodeArtifact } from "../../shared/artifact/artifact.ts";
import { checkGolden, type MeasuredCard, type Model, type Reference, type ReliabilityBin } from "../../shared/model.ts";
import { shapeOf } from "../../shared/recipe/recipe.ts";
import { withScores } from "../artifact/reference.ts";
import { type Labelled, take } from "../data/sequences.ts";
import { pickApart } from "../split/apart.ts";
import type { Labels } from "../statistics/labels.ts";
import { bootstrapIntervals, computeMetrics } from "../statistics/metrics.ts";
import { type Costs, measureOperatingPoints } from "../statistics/operating-points.ts";
import { createRandom } from "../statistics/random.ts";
import { STREAMS } from "../statistics/random-streams.ts";
import { reliabilityBins } from "../statistics/reliability.ts";
import type { ScoringDependencies } from "./contract.ts";
import type { Packaged } from "./package.ts";

const BOOTSTRAP_RESAMPLES = 200;

/** The model's metrics on the test part, as a card holds them. */
export interface Assessment extends Pick<MeasuredCard, "test" | "intervals"> {
  /** (test) */
  readonly probabilities: Float32Array;
  readonly reliability: readonly ReliabilityBin[];
}

/** Scores raw `test` sequences. `gap`: neighbours closer than this share rows. */
export function assess({ score }: Packaged, { labels, values }: Labelled, gap: number, seed: number): Assessment {
  return measure(labels, score(values), gap, seed);
}

/** Metrics of `probabilities` (N) on `labels` (N). `gap` as in assess. */
export function measure(labels: Labels, probabilities: Float32Array, gap: number, seed: number): Assessment {
  return {
    probabilities,
    test: computeMetrics(labels, probabilities),
    intervals: bootstrapIntervals(labels, probabilities, createRandom(seed, STREAMS.bootstrap), BOOTSTRAP_RESAMPLES, gap),
    reliability: reliabilityBins(labels, probabilities, createRandom(seed, STREAMS.reliability), gap),
  };
}

export interface Sealed {
  readonly model: Model & { readonly card: MeasuredCard };
  /** The artifact. */
  readonly bytes: Uint8Array;
}

/**
 * The artifact with its card, its operating points measured on the test part and its golden vectors checked. `values`: the raw test part,
 * where it is the model itself that scored it; its scores are what drift is measured against. Throws ArtifactError.
 */
export function seal(
  { model }: Packaged,
  card: MeasuredCard,
  { labels, values }: Pick<Labelled, "labels"> & { readonly values: Float64Array | null },
  probabilities: Float32Array,
  costs: Costs | undefined,
  { kernel, createEngine }: ScoringDependencies,
): Sealed {
  const operatingPoints = measureOperatingPoints(model.operatingPoints, labels, probabilities, costs);
  const reference = values === null ? model.reference : withTestScores(model, values, probabilities);
  const bytes = encodeArtifact({ ...model, operatingPoints, reference, card });
  const sealed = { ...decodeArtifact(bytes), card };
  checkGolden(sealed, createEngine(sealed), kernel.log);
  return { model: sealed, bytes };
}

function withTestScores({ recipe, reference }: Model, values: Float64Array, probabilities: Float32Array): Reference {
  if (reference.sequences === undefined) return reference;
  const apart = pickApart(values, shapeOf(recipe), recipe.padding);
  return { ...reference, sequences: withScores(reference.sequences, take(probabilities, apart, 1)) };
}
