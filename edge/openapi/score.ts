// The part of the OpenAPI document that is about scoring and the model's card. What a JSON schema cannot say is in the descriptions: a
// sequence of nothing but padding is refused, and more explanations than a request may cost.
// Legend: T steps, F features.

import type { ScorableModel } from "../../shared/model.ts";
import { type Recipe, shapeOf } from "../../shared/recipe/recipe.ts";
import { sampleRequest } from "../../shared/sample.ts";
import { VERSION } from "../../shared/version.ts";
import { MAX_BODY_BYTES } from "../http/body.ts";
import { maxExplained } from "../scoring/occlusion.ts";
import { MAX_LINE_BYTES } from "../scoring/score-lines.ts";
import { SCORE_PATHS } from "../scoring/score-request.ts";
import { maxSequences } from "../scoring/scoring.ts";
import { givenSequenceSchema, staticSchema, timesSchema } from "./given.ts";
import {
  answeredPointOf,
  BODIED,
  type Json,
  json,
  KEYED,
  type Operation,
  object,
  type Paths,
  pointOf,
  priorOf,
  problems,
  ref,
  SHOWN,
  shownLabel,
  shownModel,
  text,
} from "./terms.ts";

/** Sequence, ScoreRequest with its two forms, ScoreAnswer, Result, Explanation and ModelCard. */
export function scoreSchemas(model: ScorableModel): Record<string, Json> {
  return { ...requestSchemas(model), ...answerSchemas(model), ModelCard: cardSchema() };
}

function requestSchemas(model: ScorableModel): Record<string, Json> {
  const { recipe } = model;
  const statics = staticSchema(recipe);
  const { clock } = shapeOf(recipe);
  const times = timesSchema(recipe);
  const options = {
    operatingPoint: pointOf(model),
    explain: { type: "boolean", description: "Whether each result has an explanation." },
    ...priorOf(model),
  };
  const beside = (given: { readonly times: Json; readonly static: Json }): Record<string, Json> => ({
    ...(clock && { times: given.times }),
    ...(statics && { static: given.static }),
  });
  const request = (name: string, sequences: Json, given: { readonly times: Json; readonly static: Json }, description: string): Json =>
    object({ [name]: sequences, ...beside(given), ...options }, ["times", ...Object.keys(options)], { description });
  return {
    Sequence: recipe.inputs ? givenSequenceSchema(recipe, recipe.inputs) : sequenceSchema(recipe),
    ...(statics && { Static: statics }),
    ScoreOne: request(
      "sequence",
      ref("Sequence"),
      { times: { ...times, description: "Of each row, as in events." }, static: ref("Static") },
      "One sequence.",
    ),
    ScoreMany: request(
      "sequences",
      { type: "array", minItems: 1, maxItems: maxSequences(recipe), items: ref("Sequence") },
      {
        times: { type: "array", items: times, description: "A list for each sequence." },
        static: { type: "array", minItems: 1, items: ref("Static"), description: "One for each sequence." },
      },
      `Many sequences; with explain at most ${maxExplained(recipe)}.`,
    ),
    ScoreRequest: { anyOf: [ref("ScoreOne"), ref("ScoreMany")] },
  };
}

/** Rows of numbers. */
function sequenceSchema(recipe: Recipe): Json {
  const { timesteps: T, features: F, gaps, clock } = shapeOf(recipe);
  return {
    type: "array",
    description: `Up to ${T} rows of ${F} numbers: ${recipe.features.join(", ")}. ${gaps ? "null stands for a number that is missing. " : ""}Fewer rows are padding in front. At least one row must not be all zeros.${clock ? ` The last number is the row's time in seconds since 1970; with times, rows have ${F - 1} numbers.` : ""}`,
    minItems: 1,
    maxItems: T,
    items: {
      type: "array",
      minItems: clock ? F - 1 : F,
      maxItems: F,
      ...(clock && gaps && { prefixItems: recipe.features.map((_, f) => ({ type: f < F - 1 ? ["number", "null"] : "number" })) }),
      items: { type: gaps ? ["number", "null"] : "number" },
    },
    // a row that is not all zeros, where such a row is padding
    ...(recipe.padding !== "none" && { contains: { type: "array", contains: { not: { const: 0 } } } }),
  };
}

function answerSchemas(model: ScorableModel): Record<string, Json> {
  const { timesteps: T, features: F } = shapeOf(model.recipe);
  return {
    ScoreAnswer: object({
      model: text,
      operatingPoint: answeredPointOf(model),
      results: { type: "array", minItems: 1, items: ref("Result") },
    }),
    Result: object(
      {
        probability: { type: "number", minimum: 0, maximum: 1, description: "Calibrated; a float32, written exactly." },
        label: { type: "integer", enum: [0, 1] },
        outOfRange: { type: "boolean", description: "true where the sequence lies outside what training saw, else left out." },
        explanation: ref("Explanation"),
      },
      ["outOfRange", "explanation"],
    ),
    Explanation: object(
      {
        method: { type: "string", enum: ["occlusion"] },
        steps: { type: "array", minItems: T, maxItems: T, items: { type: ["number", "null"] }, description: "null for padding" },
        features: { type: "array", minItems: F, maxItems: F, items: { type: "number" } },
      },
      [],
      {
        description:
          "The change of the logit when one step's, or one feature's, channels are set to the training mean. They need not sum to anything.",
      },
    ),
  };
}

function cardSchema(): Json {
  const more = { additionalProperties: true };
  const properties = {
    name: text,
    id: text,
    sha256: text,
    format: text,
    version: { ...text, description: "Of the code." },
    features: { type: "array", items: text },
    timesteps: { type: "integer" },
    recipe: { type: "object", ...more },
    operatingPoints: { type: "array", items: object({ name: text, threshold: { type: "number" } }, [], more) },
    limits: object({ sequences: { type: "integer" }, bodyBytes: { type: "integer" } }),
  };
  return object(properties, [], { ...more, description: "And what training wrote: metrics, intervals, baselines, warnings and the like." });
}

/** Media types of what is neither JSON nor lines. */
const BINARY: Json = { type: "string", format: "binary" };

/** The paths of scoring and the card. */
export function scorePaths(model: ScorableModel): Paths {
  const { timesteps: T, features: F } = shapeOf(model.recipe);
  const { lines, binary, npy } = SCORE_PATHS;
  const sample = sampleRequest(model);
  const result = { probability: SHOWN, label: shownLabel(model) };
  const answer = { model: shownModel(model), operatingPoint: model.operatingPoints[0].name, results: [result] };
  const line = (value: unknown): string => `${JSON.stringify(value)}\n`;
  return {
    "/v1/score": {
      post: scoreOperation(
        model,
        ["scoreSequences", "Score sequences", "The types of the paths below are taken here, too, and are answered as there."],
        { type: "application/json", schema: ref("ScoreRequest"), example: sample },
        { type: "application/json", schema: ref("ScoreAnswer"), example: answer },
      ),
    },
    "/v1/score/lines": {
      post: scoreOperation(
        model,
        [
          "scoreLines",
          "Score a stream of lines",
          `A sequence, or an object with one as sequence, on each line of at most ${MAX_LINE_BYTES} bytes. Each line is answered with a Result, or with a LineError if it is bad; answers leave while lines arrive.`,
        ],
        { type: lines, schema: text, example: line(sample.static ? sample : sample.sequence) },
        { type: lines, schema: text, example: line(result) },
      ),
    },
    "/v1/score/binary": {
      post: scoreOperation(
        model,
        [
          "scoreBinary",
          "Score raw binary numbers",
          `(N, ${T}, ${F}) little-endian float64; float32 with the type's parameter dtype=float32. Answered with (N) probabilities of the same type; with the header \`accept: application/json\` as /v1/score.`,
        ],
        { type: binary, schema: BINARY },
        { type: binary, schema: BINARY },
      ),
    },
    "/v1/score/npy": {
      post: scoreOperation(
        model,
        [
          "scoreNpy",
          "Score an array of NumPy",
          `(N, 1 to ${T}, ${F}). Answered with an array of (N) probabilities; with the header \`accept: application/json\` as /v1/score.`,
        ],
        { type: npy, schema: BINARY },
        { type: npy, schema: BINARY },
      ),
    },
    "/v1/model": { get: cardOperation(model) },
  };
}

/** A body of one media type. */
interface Body {
  readonly type: string;
  readonly schema: Json;
  readonly example?: unknown;
}

const contentOf = ({ type, ...media }: Body): Record<string, Json> => ({ [type]: media });

function scoreOperation(
  model: ScorableModel,
  [operationId, summary, description]: readonly [id: string, summary: string, description: string],
  request: Body,
  answer: Body,
): Operation {
  const limits = `Scope: score. At most ${maxSequences(model.recipe)} sequences and ${MAX_BODY_BYTES} bytes a request; lines without end.`;
  return {
    operationId,
    tags: ["score"],
    summary,
    description: `${limits} ${description}`,
    security: [{ key: ["score"] }],
    parameters: optionParameters(model).filter(({ name }) => name !== "explain" || answer.schema !== BINARY), // which has no place for one
    requestBody: { required: true, content: contentOf(request) },
    responses: { "200": { description: "Results in the order of the sequences.", content: contentOf(answer) }, ...BODIED, ...KEYED },
  };
}

function optionParameters(model: ScorableModel): Json[] {
  const { prior } = priorOf(model);
  return [
    { name: "operatingPoint", in: "query", schema: pointOf(model) },
    { name: "explain", in: "query", schema: { type: "string", enum: ["true", "false"] } },
    ...(prior === undefined ? [] : [{ name: "prior", in: "query", schema: prior }]),
  ];
}

function cardOperation({ name, recipe, operatingPoints }: ScorableModel): Operation {
  const { features, timesteps, padding } = recipe;
  const sha256 = "0123456789ab".padEnd(64, "0");
  const points = operatingPoints.map(({ name: point, threshold }) => ({ name: point, threshold }));
  const about = { name, id: `${name}@0123456789ab`, sha256, format: "quickstep/2", version: VERSION, features, timesteps };
  const limits = { sequences: maxSequences(recipe), bodyBytes: MAX_BODY_BYTES };
  return {
    operationId: "getModel",
    tags: ["score"],
    summary: "The deployed model's card",
    description: "Scope: read.",
    security: [{ key: ["read"] }],
    responses: {
      "200": {
        description: "Features, recipe, metrics, limits.",
        content: json(ref("ModelCard"), { ...about, recipe: { padding }, operatingPoints: points, limits }),
      },
      ...KEYED,
      ...problems("rate"),
    },
  };
}
