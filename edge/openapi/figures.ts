// What the OpenAPI document says of the model that is served: its figures, its inputs as JSON schemas, examples that it scores.
// Legend: T steps, F features.
import { operatingPointNames, type ScorableModel } from "../../shared/model.ts";
import type { Input } from "../../shared/recipe/inputs.ts";
import { type Recipe, shapeOf } from "../../shared/recipe/recipe.ts";
import { sampleRequest, sampleRow, sampleSequence } from "../../shared/sample.ts";
import { widthWithoutTime } from "../../shared/sequence.ts";
import { describeLabels } from "../models/taken.ts";
import { configureModel, describeModel } from "../scoring/inference-metadata.ts";
import { maxExplained } from "../scoring/occlusion.ts";
import { maxSequences } from "../scoring/scoring.ts";

/** A probability as an example shows it. */
export const SHOWN = 0.83;
/** A model's hash, as an example shows its beginning. */
export const SHOWN_HASH = "0123456789ab";

type Schema = Readonly<Record<string, unknown>>;

/** By the names that the document's holes have. */
export type Figures = ReturnType<typeof figuresOf>;

/** The figures of `model`; undefined: it has none of the kind. */
export function figuresOf(model: ScorableModel) {
  const { name, recipe, operatingPoints, positiveRate, card } = model;
  const shape = shapeOf(recipe);
  const { timesteps: T, features: F, gaps, clock } = shape;
  const sequences = maxSequences(recipe);
  const rows = sampleSequence(model);
  const request = sampleRequest(model);
  const row = sampleRow(model);
  return {
    name,
    shownModel: `${name}@${SHOWN_HASH}`,
    shownLabel: SHOWN >= operatingPoints[0].threshold ? 1 : 0,
    timesteps: T,
    features: F,
    featureNames: recipe.features,
    featureText: recipe.features.join(", "),
    rowWidth: widthWithoutTime(shape),
    rowText: recipe.features.slice(0, widthWithoutTime(shape)).join(", "),
    gaps,
    clock,
    padding: recipe.padding,
    hasPadding: recipe.padding !== "none",
    numberType: gaps ? ["number", "null"] : "number",
    timedTypes: gaps && clock ? recipe.features.map((_, f) => ({ type: f < F - 1 ? ["number", "null"] : "number" })) : undefined,
    ...inputFigures(recipe),
    sequences,
    explained: maxExplained(recipe),
    numbers: sequences * T * F,
    askedPoints: operatingPointNames(operatingPoints),
    answeredPoints: operatingPoints.map((point) => point.name),
    firstPoint: operatingPoints[0].name,
    cardPoints: operatingPoints.map((point) => ({ name: point.name, threshold: point.threshold })),
    labels: describeLabels(card),
    positiveRate,
    sampleRows: rows,
    sampleShape: [1, rows.length, rows[0].length],
    sampleRequest: request,
    sampleLine: `${JSON.stringify(request.static ? request : request.sequence)}\n`,
    sampleValues: row.values,
    sampleStatic: row.static,
    metadata: describeModel(model, SHOWN_HASH),
    configuration: configureModel(model),
  };
}

/** Of a model with inputs: `inputs` is undefined where rows are features. */
function inputFigures(recipe: Recipe) {
  const { inputs, clock } = recipe;
  const own = inputs?.filter((input) => !input.static) ?? [];
  const statics = inputs?.filter((input) => input.static) ?? [];
  const types = own.map((input) => typeOf(input, recipe));
  const timed = clock ? [...types, { type: ["number"] }] : types;
  return {
    inputs: inputs && true,
    inputText: own.map(nameInput).join(", "),
    inputWidth: own.length,
    inputTypes: types,
    timedInputWidth: timed.length,
    timedInputTypes: timed,
    statics: statics.length === 0 ? undefined : true,
    staticNames: statics.map(({ name }) => name),
    staticProperties: Object.fromEntries(
      statics.map((input): [string, Schema] => [input.name, { ...typeOf(input, recipe), description: nameInput(input) }]),
    ),
  };
}

function typeOf({ levels }: Input, { gaps }: Recipe): Schema {
  if (levels) return { type: ["string", "number", "boolean", "null"] };
  return { type: gaps ? ["number", "null"] : ["number"] };
}

function nameInput({ name, levels }: Input): string {
  return levels === undefined ? name : `${name} (a category: ${levels.map((level) => JSON.stringify(level)).join(", ")})`;
}
