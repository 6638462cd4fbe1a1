// The part of the OpenAPI document that is about what a deployment watches: counts, drift, outcomes and performance.
import { PREDICTION_ID } from "../monitor/prediction-id.ts";
import { MAX_OUTCOMES, OUTCOME_STATES } from "../monitor/predictions-object.ts";
import { givenName } from "./rows.ts";
import {
  BODIED,
  count,
  hole,
  type Json,
  json,
  KEYED,
  list,
  type Operation,
  object,
  orNull,
  type Paths,
  problems,
  ref,
  text,
} from "./terms.ts";

const SHOWN_METRICS = `# HELP quickstep_requests_total Requests by route and status.
# TYPE quickstep_requests_total counter
quickstep_requests_total{method="POST",route="/v1/score",status="200"} 1027
`;

const shownDrift = (): Json => ({
  model: hole("shownModel"),
  basis: "sequences",
  sequences: 1200,
  alarm: false,
  alarmAfter: null,
  evidence: 0.31,
  alarmAt: 1000,
  quantities: [
    { name: "length", edges: [3, 7], reference: [0.1, 0.2, 0.7], observed: [0.1, 0.22, 0.68], stability: 0.003, evidence: 0.31 },
  ],
});

const shownPerformance = (): Json => {
  const figures = {
    outcomes: 412,
    positiveRate: 0.26,
    logLoss: { value: 0.49, low: 0.45, high: 0.53 },
    brier: 0.16,
    auc: 0.78,
    calibrationSlope: 0.97,
    reliability: [{ examples: 41, predicted: 0.08, observed: { value: 0.1, low: 0.04, high: 0.22 } }],
  };
  return {
    model: hole("shownModel"),
    ...figures,
    days: [{ ...figures, day: "2026-01-31" }],
    outcomesByState: { taken: 412, waiting: 0, repeated: 3, contradicting: 0, late: 1, unknown: 2 },
    evidence: 1.2,
    changed: false,
    card: null,
  };
};

const shownComparison = (): Json => ({
  model: hole("shownModel"),
  challenger: hole("shownModel"),
  shadow: 0.1,
  paired: true,
  sequences: { model: 812, challenger: 812 },
  meanDifference: { value: 0.012, low: 0.008, high: 0.016 },
  differences: Array.from({ length: 40 }, (_, b) => (b === 20 ? 812 : 0)),
  labels: [
    [590, 14],
    [9, 199],
  ],
  agreement: 0.972,
  outcomes: { model: 301, challenger: 301 },
  logLoss: { model: 0.512, challenger: 0.504, difference: { value: -0.008, low: -0.015, high: -0.001 } },
});

const number: Json = { type: "number" };
const maybe: Json = { type: ["number", "null"] };

/** DriftReport, Outcome, Outcomes, OutcomeAnswer, OutcomeAnswers, ModelPerformance and ModelComparison. */
export function monitorSchemas(): Record<string, Json> {
  const estimate = object({ value: number, low: number, high: number });
  const figures = {
    outcomes: count,
    positiveRate: maybe,
    logLoss: orNull(estimate),
    brier: maybe,
    auc: maybe,
    calibrationSlope: maybe,
    reliability: list(object({ examples: count, predicted: number, observed: estimate })),
  };
  const label: Json = { type: "integer", enum: [0, 1] };
  return {
    DriftReport: object({
      model: text,
      basis: { type: "string", enum: ["sequences", "rows", "none"] },
      sequences: count,
      alarm: { type: ["boolean", "null"] },
      alarmAfter: { type: ["integer", "null"] },
      evidence: maybe,
      alarmAt: number,
      quantities: list(
        object({ name: text, edges: list(number), reference: list(number), observed: list(number), stability: maybe, evidence: maybe }),
      ),
    }),
    OutcomeOfPrediction: object({ prediction: { ...text, pattern: PREDICTION_ID.source }, label }),
    OutcomeOfEvent: object({ stream: givenName(), source: givenName(), id: givenName(), label }, ["source"]),
    Outcomes: object({
      outcomes: list({ anyOf: [ref("OutcomeOfPrediction"), ref("OutcomeOfEvent")] }, { minItems: 1, maxItems: MAX_OUTCOMES }),
    }),
    OutcomeAnswer: object({ state: { type: "string", enum: [...OUTCOME_STATES] } }),
    OutcomeAnswers: object({ results: list(ref("OutcomeAnswer")) }),
    ModelPerformance: object({
      model: text,
      ...figures,
      days: list(object({ ...figures, day: text })),
      outcomesByState: object(Object.fromEntries(OUTCOME_STATES.map((state) => [state, count]))),
      evidence: number,
      changed: { type: "boolean" },
      card: { type: ["object", "null"], additionalProperties: true },
    }),
    ModelComparison: comparisonSchema(estimate),
  };
}

function comparisonSchema(estimate: Json): Json {
  const both = object({ model: count, challenger: count });
  return object(
    {
      model: text,
      challenger: text,
      shadow: number,
      share: number,
      paired: { type: "boolean", description: "Whether each figure is of sequences that both scored; else each scored its own." },
      sequences: both,
      meanDifference: orNull(estimate),
      differences: orNull(list(count)),
      labels: orNull(list(list(count))),
      agreement: maybe,
      outcomes: both,
      logLoss: orNull(object({ model: number, challenger: number, difference: orNull(estimate) })),
    },
    ["shadow", "share"],
  );
}

const SENT_OUTCOMES: Json = { anyOf: [ref("OutcomeOfPrediction"), ref("OutcomeOfEvent"), ref("Outcomes")] };

/** /metrics, /v1/outcomes, and a model's drift, performance and comparison with its challenger. */
export function monitorPaths(): Paths {
  const name: Json = { name: "name", in: "path", required: true, schema: { type: "string", const: hole("name") } };
  const read = (operationId: string, summary: string, content: Record<string, Json>, parameters: readonly Json[] = []): Operation => ({
    operationId,
    tags: ["monitor"],
    summary,
    description: "Scope: read. 503 where the deployment does not bind it.",
    security: [{ key: ["read"] }],
    ...(parameters.length > 0 && { parameters }),
    responses: { "200": { description: "As it says.", content }, ...KEYED, ...problems("notFound") },
  });
  return {
    "/metrics": {
      get: read("getExposition", "Counts in Prometheus' text format", { "text/plain": { schema: text, example: SHOWN_METRICS } }),
    },
    "/v1/models/{name}/drift": {
      get: read("getDrift", "Whether what is scored is like what the model was made with", json(ref("DriftReport"), shownDrift()), [name]),
      delete: {
        operationId: "forgetDrift",
        tags: ["monitor"],
        summary: "The watch for drift begins anew",
        description: "Scope: admin.",
        security: [{ key: ["admin"] }],
        parameters: [name],
        responses: { "204": { description: "It begins anew." }, ...KEYED, ...problems("notFound") },
      },
    },
    "/v1/models/{name}/performance": {
      get: read("getPerformance", "What came true, beside the card's own metrics", json(ref("ModelPerformance"), shownPerformance()), [
        name,
      ]),
    },
    "/v1/models/{name}/compare": {
      get: read("compareModel", "A challenger beside the model that answers", json(ref("ModelComparison"), shownComparison()), [name]),
    },
    "/v1/outcomes": {
      post: {
        operationId: "tellOutcomes",
        tags: ["monitor"],
        summary: "What came true of predictions and of streams' events",
        description: `Scope: score. One, or up to ${MAX_OUTCOMES} under outcomes. The same again counts once.`,
        security: [{ key: ["score"] }],
        requestBody: { required: true, content: json(SENT_OUTCOMES, { stream: "EURUSD", id: "bar-17", label: 1 }) },
        responses: {
          "200": {
            description: "What became of each, in their order.",
            content: json({ anyOf: [ref("OutcomeAnswer"), ref("OutcomeAnswers")] }, { state: "taken" }),
          },
          ...BODIED,
          ...KEYED,
          ...problems("storage"),
        },
      },
    },
  };
}
