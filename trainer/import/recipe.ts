// A network that was trained elsewhere on the channels of a recipe: it gets that recipe, and is given the valid rows of its channels.
// Legend: T steps, C channels.
import { DataError } from "../../shared/errors.ts";
import type { Layer, LayeredNetwork } from "../../shared/networks/layers.ts";
import type { Network } from "../../shared/networks/lstm.ts";
import type { Recipe } from "../../shared/recipe/recipe.ts";
import type { Padding } from "../../shared/sequence.ts";
import { type Front, plainFront } from "./contract/front.ts";
import type { ImportedNetwork, SettledNetwork } from "./contract/imported-network.ts";
import { rejectFile } from "./contract/reject-file.ts";

/** The artifact whose recipe a network gets. */
export interface RecipeSource {
  readonly recipe: Recipe;
  readonly name: string;
  /** `from.safetensors`, as it is printed. */
  readonly path: string;
}

/**
 * The network behind the recipe of `from`. `said` is what --padding says. Throws DataError: a network of another number of channels or steps, and
 * one that reads padding rows, which the recipe passes over.
 */
export function attachRecipe(imported: ImportedNetwork, from: RecipeSource, said: Padding | undefined, source: string): SettledNetwork {
  const { recipe, name, path } = from;
  const { network, front, timesteps } = imported;
  if (imported.exportMetadata) rejectFile(source, "brings its own recipe, since quickstep exported the file", "leave --recipe out");
  if (network.channels !== recipe.channels.length)
    throw new DataError(
      source,
      `takes ${network.channels} numbers a step, but the recipe of ${path} makes ${recipe.channels.length} channels: train it on what export --channels writes`,
    );
  if (timesteps !== null && timesteps !== recipe.timesteps)
    throw new DataError(source, `takes ${timesteps} steps, but the recipe of ${path} takes ${recipe.timesteps}`);
  checkPadding(imported, recipe, said, source);
  const plain = plainFront(network.channels);
  return {
    ...imported,
    padding: recipe.padding,
    mask: undefined,
    front: plain,
    network: isPlain(front) ? network : { channels: network.channels, layers: [scalingOf(front), ...layersOf(network)] },
    findings: [
      ...imported.findings,
      `recipe: of ${path}, ${recipe.channels.length} channels of ${recipe.features.join(", ")}; padding: ${recipe.padding}`,
    ],
    exportMetadata: { name, recipe, calibration: { slope: 1, intercept: 0 } },
  };
}

/** Throws DataError where the network computes something else of shorter sequences than of their valid rows alone. */
function checkPadding({ padding, mask, timesteps }: ImportedNetwork, recipe: Recipe, said: Padding | undefined, source: string): void {
  if (recipe.padding === "none" && recipe.mask === undefined) return; // every sequence has all its rows
  if (padding === "any")
    rejectFile(
      source,
      "passes over rows of zeros, which channels may be in valid rows",
      "train with Masking(-99) and rows of -99 behind a sequence's end, as the script of export --channels does",
    );
  const isAlone = padding === "leading" || padding === null || mask !== undefined || (said === "leading" && timesteps === null);
  if (!isAlone)
    rejectFile(
      source,
      "reads all rows of a sequence, padding among them, which the recipe passes over",
      "train with a mask or on packed sequences, as the scripts of export --channels do; or say --padding leading where the model takes sequences of any length as they are",
    );
}

function isPlain({ mean, scale, sign }: Front): boolean {
  return mean.every((value) => value === 0) && scale.every((value) => value === 1) && sign.every((value) => value === 1);
}

/** What a file has in front of its network, as a layer. */
function scalingOf({ mean, scale, sign }: Front): Layer {
  return {
    kind: "affine",
    scale: Float32Array.from(scale, (value, c) => sign[c] / value),
    shift: Float32Array.from(mean, (value, c) => (-sign[c] * value) / scale[c]),
  };
}

function layersOf(network: Network | LayeredNetwork): readonly Layer[] {
  if ("layers" in network) return network.layers;
  const { units, kernel, recurrent, bias, headKernel, headBias, hardGates, backwards, initial } = network;
  return [
    {
      kind: "recurrent",
      cell: {
        cell: "lstm",
        units,
        kernel,
        recurrent,
        bias,
        ...(hardGates !== undefined && { recurrentActivation: { kind: "hardSigmoid", slope: hardGates } as const }),
        ...(initial && { initialHidden: initial.hidden, initialCell: initial.cell }),
      },
      ...(backwards && { backwards }),
      returns: "state",
    },
    { kind: "dense", units: 1, kernel: headKernel, bias: headBias },
  ];
}
