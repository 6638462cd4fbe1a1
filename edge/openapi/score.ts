// The part of the OpenAPI document that is about scoring and the model's card. What a JSON schema cannot say is in the descriptions: a
// sequence of nothing but padding is refused, and more explanations than a request may cost.
// Legend: T steps, F features.

import type { ScorableModel } from "../../shared/model.ts";
import { shapeOf } from "../../shared/recipe/recipe.ts";
import { sampleSequence } from "../../shared/sample.ts";
import { MAX_BODY_BYTES } from "../http/body.ts";
import { maxExplained } from "../scoring/occlusion.ts";
import { MAX_LINE_BYTES } from "../scoring/score-lines.ts";
import { SCORE_TYPES } from "../scoring/score-request.ts";
import { maxSequences } from "../scoring/scoring.ts";
import { answeredPointOf, BODIED, type Json, json, KEYED, type Paths, pointOf, priorOf, ref, text } from "./terms.ts";

/** Sequence, ScoreRequest, ScoreAnswer, Result and Explanation. */
export function scoreSchemas(model: ScorableModel): Record<string, Json> {
  return { ...requestSchemas(model), ...answerSchemas(model) };
}

function requestSchemas(model: ScorableModel): Record<string, Json> {
  const { recipe } = model;
  const { timesteps: T, features: F, gaps, clock } = shapeOf(recipe);
  const time = { type: ["string", "number"] };
  const times = {
    oneOf: [
      { type: "array", items: time },
      { type: "array", items: { type: "array", items: time } },
    ],
  };
  return {
    Sequence: {
      type: "array",
      description: `Up to ${T} rows of ${F} numbers: ${recipe.features.join(", ")}. ${gaps ? "null stands for a number that is missing. " : ""}Fewer rows are padding in front. At least one row must not be all zeros.${clock ? ` The last number is the row's time in seconds since 1970; with times, rows have ${F - 1} numbers.` : ""}`,
      minItems: 1,
      maxItems: T,
      items: { type: "array", minItems: clock ? F - 1 : F, maxItems: F, items: { type: gaps ? ["number", "null"] : "number" } },
    },
    ScoreRequest: {
      type: "object",
      description: `Either sequence or sequences. With explain at most ${maxExplained(recipe)} sequences.`,
      properties: {
        sequence: ref("Sequence"),
        sequences: { type: "array", minItems: 1, maxItems: maxSequences(recipe), items: ref("Sequence") },
        ...(clock && { times: { ...times, description: "Of each row, as in events; for sequences a list of such lists." } }),
        operatingPoint: { ...pointOf(model), description: "Where probabilities become labels." },
        explain: { type: "boolean", default: false },
        prior: priorOf(model),
      },
      additionalProperties: false,
      oneOf: [{ required: ["sequence"] }, { required: ["sequences"] }],
    },
  };
}

function answerSchemas(model: ScorableModel): Record<string, Json> {
  const { timesteps: T, features: F } = shapeOf(model.recipe);
  return {
    ScoreAnswer: {
      type: "object",
      properties: { model: text, operatingPoint: answeredPointOf(model), results: { type: "array", minItems: 1, items: ref("Result") } },
      required: ["model", "operatingPoint", "results"],
      additionalProperties: false,
    },
    Result: {
      type: "object",
      properties: {
        probability: { type: "number", minimum: 0, maximum: 1, description: "Calibrated; a float32, written exactly." },
        label: { enum: [0, 1] },
        outOfRange: { const: true, description: "The sequence lies outside what training saw." },
        explanation: ref("Explanation"),
      },
      required: ["probability", "label"],
      additionalProperties: false,
    },
    Explanation: {
      type: "object",
      description:
        "The change of the logit when one step's, or one feature's, channels are set to the training mean. They need not sum to anything.",
      properties: {
        method: { const: "occlusion" },
        steps: { type: "array", minItems: T, maxItems: T, items: { type: ["number", "null"] }, description: "null for padding" },
        features: { type: "array", minItems: F, maxItems: F, items: { type: "number" } },
      },
      required: ["method", "steps", "features"],
      additionalProperties: false,
    },
  };
}

/** Media types of what is neither JSON nor lines. */
const BINARY: Json = { type: "string", format: "binary" };

/** The paths of scoring and the card. */
export function scorePaths(model: ScorableModel): Paths {
  const { recipe } = model;
  const [JSON_TYPE, NDJSON, RAW_BINARY, NPY] = SCORE_TYPES;
  return {
    "/v1/score": {
      post: {
        operationId: "scoreSequences",
        tags: ["score"],
        summary: "Score sequences",
        description:
          `Scope: score. At most ${maxSequences(recipe)} sequences and ${MAX_BODY_BYTES} bytes a request. The answer is of the request's type; ` +
          `raw binary numbers and arrays are answered as JSON with the header \`accept: application/json\`.`,
        security: [{ key: ["score"] }],
        parameters: optionParameters(model),
        requestBody: { required: true, content: requestContent(model) },
        responses: {
          "200": {
            description: "Results in the order of the sequences.",
            content: {
              [JSON_TYPE]: { schema: ref("ScoreAnswer") },
              [NDJSON]: { schema: { oneOf: [ref("Result"), ref("LineError")] } },
              [RAW_BINARY]: { schema: BINARY },
              [NPY]: { schema: BINARY },
            },
          },
          ...BODIED,
          ...KEYED,
        },
      },
    },
    "/v1/model": {
      get: {
        operationId: "getModel",
        tags: ["score"],
        summary: "The deployed model's card",
        description: "Scope: read.",
        security: [{ key: ["read"] }],
        responses: { "200": { description: "Features, recipe, metrics, limits.", content: json({ type: "object" }) }, ...KEYED },
      },
    },
  };
}

function optionParameters(model: ScorableModel): Json[] {
  return [
    { name: "operatingPoint", in: "query", schema: pointOf(model) },
    { name: "explain", in: "query", schema: { enum: ["true", "false"], default: "false" } },
    ...(model.positiveRate === undefined ? [] : [{ name: "prior", in: "query", schema: priorOf(model) }]),
  ];
}

/** Bytes that a sentence describes. A media type has no description of its own, a schema has. */
function described(description: string): Json {
  return { schema: { ...BINARY, description } };
}

function requestContent(model: ScorableModel): Record<string, Json> {
  const { timesteps: T, features: F } = shapeOf(model.recipe);
  const [JSON_TYPE, NDJSON, RAW_BINARY, NPY] = SCORE_TYPES;
  return {
    [JSON_TYPE]: { schema: ref("ScoreRequest"), example: { sequence: sampleSequence(model) } },
    [NDJSON]: described(
      `A sequence, or an object with one as sequence, on each line of at most ${MAX_LINE_BYTES} bytes; any number of lines. Results leave while lines arrive; a bad line is answered with a LineError.`,
    ),
    [RAW_BINARY]: described(
      `(N, ${T}, ${F}) little-endian float64; float32 with the type's parameter dtype=float32. Answer: (N) probabilities of the same type.`,
    ),
    [NPY]: described(`An array of NumPy, (N, 1 to ${T}, ${F}). Answer: an array of (N) probabilities.`),
  };
}
