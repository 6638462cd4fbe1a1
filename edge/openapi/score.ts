// The part of the OpenAPI document that is about scoring and the model's card. What a JSON schema cannot say is in the descriptions: a
// sequence of nothing but padding is refused, and more explanations than a request may cost.
import { VERSION } from "../../shared/version.ts";
import { MAX_BODY_BYTES } from "../http/body.ts";
import { MAX_LINE_BYTES } from "../scoring/score-lines.ts";
import { SCORE_PATHS } from "../scoring/score-request.ts";
import { SHOWN, SHOWN_HASH } from "./figures.ts";
import { sequence, statics, times } from "./rows.ts";
import {
  ANSWERED_POINT,
  BODIED,
  hole,
  type Json,
  json,
  KEYED,
  type Operation,
  object,
  only,
  type Paths,
  POINT,
  PRIOR,
  problems,
  ref,
  text,
} from "./terms.ts";

/** Sequence, ScoreRequest with its two forms, ScoreAnswer, Result, Explanation, Labels and ModelCard. */
export function scoreSchemas(): Record<string, Json> {
  return { ...requestSchemas(), ...answerSchemas(), Labels: labelsSchema(), ModelCard: cardSchema() };
}

function labelsSchema(): Json {
  const value: Json = { type: ["number", "string"] };
  return object({ name: text, one: value, zero: { ...value, type: ["number", "string", "null"] } }, [], {
    description:
      "The labels' column, and its values that count as 1 and 0; zero is null where several do. Left out where nothing is known of them.",
  });
}

function requestSchemas(): Record<string, Json> {
  const options = {
    operatingPoint: POINT,
    explain: { type: "boolean", description: "Whether each result has an explanation." },
    prior: only("positiveRate", PRIOR),
    remember: { type: "boolean", description: "Whether each result has an id by which its outcome can be told." },
  };
  const request = (name: string, sequences: Json, given: { readonly times: Json; readonly static: Json }, description: string): Json =>
    object(
      { [name]: sequences, times: only("clock", given.times), static: only("statics", given.static), ...options },
      ["times", ...Object.keys(options)],
      { description },
    );
  return {
    Sequence: sequence,
    Static: statics,
    ScoreOne: request(
      "sequence",
      ref("Sequence"),
      { times: { ...times(), description: "Of each row, as in events." }, static: ref("Static") },
      "One sequence.",
    ),
    ScoreMany: request(
      "sequences",
      { type: "array", minItems: 1, maxItems: hole("sequences"), items: ref("Sequence") },
      {
        times: { type: "array", items: times(), description: "A list for each sequence." },
        static: { type: "array", minItems: 1, items: ref("Static"), description: "One for each sequence." },
      },
      `Many sequences; with explain at most ${hole("explained")}.`,
    ),
    ScoreRequest: { anyOf: [ref("ScoreOne"), ref("ScoreMany")] },
  };
}

function answerSchemas(): Record<string, Json> {
  return {
    ScoreAnswer: object({
      model: text,
      operatingPoint: ANSWERED_POINT,
      results: { type: "array", minItems: 1, items: ref("Result") },
    }),
    Result: object(
      {
        probability: { type: "number", minimum: 0, maximum: 1, description: "Calibrated; a float32, written exactly." },
        label: {
          type: "integer",
          enum: [0, 1],
          description: "1 from the threshold on. What 1 and 0 stand for: labels, at GET /v1/models/{name}.",
        },
        outOfRange: { type: "boolean", description: "true where the sequence lies outside what training saw, else left out." },
        explanation: ref("Explanation"),
        prediction: {
          type: ["string", "null"],
          description: "With remember: the id by which the outcome is told; null where none could be kept.",
        },
      },
      ["outOfRange", "explanation", "prediction"],
    ),
    Explanation: object(
      {
        method: { type: "string", enum: ["occlusion"] },
        steps: {
          type: "array",
          minItems: hole("timesteps"),
          maxItems: hole("timesteps"),
          items: { type: ["number", "null"] },
          description: "null for padding",
        },
        features: { type: "array", minItems: hole("features"), maxItems: hole("features"), items: { type: "number" } },
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
    labels: ref("Labels"),
    limits: object({ sequences: { type: "integer" }, bodyBytes: { type: "integer" } }),
  };
  return object(properties, ["labels"], {
    ...more,
    description: "And what training wrote: metrics, intervals, baselines, warnings and the like.",
  });
}

/** Media types of what is neither JSON nor lines. */
const BINARY: Json = { type: "string", format: "binary" };

/** The paths of scoring and the card. */
export function scorePaths(): Paths {
  const { lines, binary, npy } = SCORE_PATHS;
  const result = { probability: SHOWN, label: hole("shownLabel") };
  const answer = { model: hole("shownModel"), operatingPoint: hole("firstPoint"), results: [result] };
  return {
    "/v1/score": {
      post: scoreOperation(
        ["scoreSequences", "Score sequences", "The types of the paths below are taken here, too, and are answered as there."],
        { type: "application/json", schema: ref("ScoreRequest"), example: hole("sampleRequest") },
        { type: "application/json", schema: ref("ScoreAnswer"), example: answer },
      ),
    },
    "/v1/score/lines": {
      post: scoreOperation(
        [
          "scoreLines",
          "Score a stream of lines",
          `A sequence, or an object with one as sequence, on each line of at most ${MAX_LINE_BYTES} bytes. Each line is answered with a Result, or with a LineError if it is bad; answers leave while lines arrive.`,
        ],
        { type: lines, schema: text, example: hole("sampleLine") },
        { type: lines, schema: text, example: `{"probability":${SHOWN},"label":${hole("shownLabel")}}\n` },
      ),
    },
    "/v1/score/binary": {
      post: scoreOperation(
        [
          "scoreBinary",
          "Score raw binary numbers",
          `(N, ${hole("timesteps")}, ${hole("features")}) little-endian float64; float32 with the type's parameter dtype=float32. Answered with (N) probabilities of the same type; with the header \`accept: application/json\` as /v1/score.`,
        ],
        { type: binary, schema: BINARY },
        { type: binary, schema: BINARY },
      ),
    },
    "/v1/score/npy": {
      post: scoreOperation(
        [
          "scoreNpy",
          "Score an array of NumPy",
          `(N, 1 to ${hole("timesteps")}, ${hole("features")}). Answered with an array of (N) probabilities; with the header \`accept: application/json\` as /v1/score.`,
        ],
        { type: npy, schema: BINARY },
        { type: npy, schema: BINARY },
      ),
    },
    "/v1/model": { get: cardOperation() },
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
  [operationId, summary, description]: readonly [id: string, summary: string, description: string],
  request: Body,
  answer: Body,
): Operation {
  const limits = `Scope: score. At most ${hole("sequences")} sequences and ${MAX_BODY_BYTES} bytes a request; lines without end.`;
  return {
    operationId,
    tags: ["score"],
    summary,
    description: `${limits} ${description}`,
    security: [{ key: ["score"] }],
    parameters: optionParameters().filter(({ name }) => (name !== "explain" && name !== "remember") || answer.schema !== BINARY), // which has no place for one
    requestBody: { required: true, content: contentOf(request) },
    responses: { "200": { description: "Results in the order of the sequences.", content: contentOf(answer) }, ...BODIED, ...KEYED },
  };
}

function optionParameters(): Json[] {
  return [
    { name: "operatingPoint", in: "query", schema: POINT },
    { name: "explain", in: "query", schema: { type: "string", enum: ["true", "false"] } },
    only("positiveRate", { name: "prior", in: "query", schema: PRIOR }),
    { name: "remember", in: "query", schema: { type: "string", enum: ["true", "false"] } },
  ];
}

function cardOperation(): Operation {
  const card = {
    name: hole("name"),
    id: hole("shownModel"),
    sha256: SHOWN_HASH.padEnd(64, "0"),
    format: "quickstep/2",
    version: VERSION,
    features: hole("featureNames"),
    timesteps: hole("timesteps"),
    recipe: { padding: hole("padding") },
    operatingPoints: hole("cardPoints"),
    labels: hole("labels"),
    limits: { sequences: hole("sequences"), bodyBytes: MAX_BODY_BYTES },
  };
  return {
    operationId: "getModel",
    tags: ["score"],
    summary: "The deployed model's card",
    description: "Scope: read.",
    security: [{ key: ["read"] }],
    responses: {
      "200": {
        description: "Features, recipe, metrics, limits.",
        content: json(ref("ModelCard"), card),
      },
      ...KEYED,
      ...problems("rate"),
    },
  };
}
