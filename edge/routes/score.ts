// POST /v1/score: one sequence or many in, their probabilities and labels out, in the order they came.
import { Hono } from "hono";
import { describe, type Path, SequenceError } from "../../shared/errors.ts";
import { labelAt, type Model, type OperatingPoint, score } from "../../shared/model.ts";
import { type Recipe, shapeOf } from "../../shared/recipe.ts";
import { parseSequence, parseSequences } from "../../shared/sequence.ts";
import { readJson } from "../body.ts";
import type { Ready } from "../deployment.ts";
import { allowOnly, type EdgeEnv } from "../middleware.ts";

const MAX_SEQUENCES = 1000;
/** Numbers in one buffer of a request: 32 MiB as float64, a quarter of what an isolate has. */
const MAX_NUMBERS = 1 << 22;
const KEYS = ["sequence", "sequences", "operatingPoint"];

export function scoreRoutes({ model, engine, log }: Ready): Hono<EdgeEnv> {
  return new Hono<EdgeEnv>()
    .post("/", async (c) => {
      const { values, pathOf, point } = parseRequest(await readJson(c.req.raw), model);
      const { probabilities, outOfRange } = score(model, engine, log, values, pathOf);
      const results = Array.from(probabilities, (probability, n) => ({
        probability,
        label: labelAt(point, probability),
        ...(outOfRange[n] === 1 && { outOfRange: true }),
      }));
      return c.json({ model: modelId(model, c.get("sha256")), operatingPoint: point.name, results });
    })
    .all("/", allowOnly("POST"));
}

/** `sp500@0123456789ab`: the name people know, and enough of the artifact's hash to tell two of that name apart. */
export function modelId(model: Model, sha256: string): string {
  return `${model.name}@${sha256.slice(0, 12)}`;
}

/** Fewer than MAX_SEQUENCES where a model's sequences are so large that their buffers would not fit an isolate. */
export function maxSequences({ timesteps, features, channels }: Recipe): number {
  return Math.min(MAX_SEQUENCES, Math.floor(MAX_NUMBERS / (timesteps * Math.max(features.length, channels.length))));
}

interface ScoreRequest {
  /** (N,T,F) */
  readonly values: Float64Array;
  /** Where in the body sequence n stands. */
  readonly pathOf: (n: number) => Path;
  readonly point: OperatingPoint;
}

/** Throws SequenceError, and LimitError for too many sequences. */
function parseRequest(body: unknown, { recipe, operatingPoints }: Model): ScoreRequest {
  if (typeof body !== "object" || body === null || Array.isArray(body))
    throw new SequenceError([], "must be an object with sequence or sequences", describe(body));
  const unknownKey = Object.keys(body).find((key) => !KEYS.includes(key));
  if (unknownKey !== undefined) throw new SequenceError([], `must have no keys but ${KEYS.join(", ")}`, describe(unknownKey));
  const { sequence, sequences, operatingPoint } = body as Record<string, unknown>;
  if ((sequence === undefined) === (sequences === undefined))
    throw new SequenceError([], "must have either sequence or sequences", sequence === undefined ? "neither" : "both");

  const point = operatingPoint === undefined ? operatingPoints[0] : operatingPoints.find(({ name }) => name === operatingPoint);
  if (point === undefined) {
    const known = operatingPoints.map(({ name }) => name).join(", ");
    throw new SequenceError(["operatingPoint"], `must be one of ${known}`, describe(operatingPoint));
  }
  if (sequences !== undefined) {
    const values = parseSequences(sequences, ["sequences"], shapeOf(recipe), maxSequences(recipe));
    return { values, pathOf: (n) => ["sequences", n], point };
  }
  const values = new Float64Array(recipe.timesteps * recipe.features.length);
  parseSequence(sequence, ["sequence"], shapeOf(recipe), values, 0);
  return { values, pathOf: () => ["sequence"], point };
}
