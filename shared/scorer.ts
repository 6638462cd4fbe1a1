// From an artifact's bytes to a function of raw sequences: what `quickstep/score` gives to other people's code. Parser, recipe and
// kernel are the Worker's, so the probabilities are its bits. Knows no file system and no HTTP, and how to compile no kernel.
import { decodeArtifact } from "./artifact/artifact.ts";
import { createWasmEngine, instantiateKernel } from "./engine.ts";
import { checkGolden, labelAt, score } from "./model.ts";
import { expandGiven } from "./recipe/given-rows.ts";
import { shapeOf } from "./recipe/recipe.ts";
import { parseSequences } from "./sequence.ts";

export interface ScoredSequence {
  readonly probability: number;
  /** At the model's first operating point. */
  readonly label: 0 | 1;
  /** The sequence lies outside what training saw. */
  readonly outOfRange: boolean;
}

/** A number, a category's text, or null where it is missing and may be. Named here, too: the package's types stand by themselves. */
type Given = number | string | boolean | null;

type Row = readonly Given[] | Readonly<Record<string, Given>>;

export interface Scorer {
  readonly name: string;
  /** Rows of the longest sequence. */
  readonly timesteps: number;
  /** Names of the numbers in a row. */
  readonly features: readonly string[];
  /** What a row has instead, and what is given once a sequence, where some are categories or static. */
  readonly inputs?: readonly { readonly name: string; readonly levels?: readonly string[]; readonly static?: true }[];
  /** Named thresholds: label 1 at or above; labels are given at the first. */
  readonly operatingPoints: readonly { readonly name: string; readonly threshold: number }[];
  /**
   * Scores sequences of 1 to `timesteps` rows, oldest first, of as many finite numbers as there are features, or with each of them by name;
   * of a model with inputs, a value for each input of rows, and for each sequence an object of `statics` with the static ones by name. Throws an Error that names the
   * place, `sequences[3][2][4] must be a finite number, got null`, and scores nothing then.
   */
  score(sequences: readonly (readonly Row[])[], statics?: readonly Readonly<Record<string, Given>>[]): ScoredSequence[];
}

/**
 * Decodes, and proves by the golden vectors that this host computes what the trainer computed. Throws ArtifactError.
 * @internal The package's types leave it out: callers have load().
 */
export function openScorer(artifact: Uint8Array, kernel: WebAssembly.Module): Scorer {
  const instance = instantiateKernel(kernel);
  const { log } = instance;
  const model = decodeArtifact(artifact, instance);
  const engine = createWasmEngine(kernel, model);
  checkGolden(model, engine, log);
  const { name, recipe, operatingPoints } = model;
  const { timesteps, features } = recipe;
  return {
    name,
    timesteps,
    features,
    ...(recipe.inputs && { inputs: recipe.inputs }),
    operatingPoints: operatingPoints.map(({ name, threshold }) => ({ name, threshold })),
    score(sequences, statics) {
      const expanded = Array.isArray(sequences)
        ? sequences.map((sequence: unknown, n) => expandGiven(sequence, ["sequences", n], statics?.[n], ["static", n], recipe))
        : sequences;
      const values = parseSequences(expanded, ["sequences"], shapeOf(recipe), Number.POSITIVE_INFINITY);
      const { probabilities, outOfRange } = score(model, engine, log, values);
      return Array.from(probabilities, (probability, n) => ({
        probability,
        label: labelAt(operatingPoints[0], probability),
        outOfRange: outOfRange[n] === 1,
      }));
    },
  };
}
