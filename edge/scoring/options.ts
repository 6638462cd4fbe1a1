// What a request may ask for beside its sequences: the operating point, an explanation, and another base rate. In the query of any format, or in
// a JSON body, which then decides.
import { describe, type Path, SequenceError } from "../../shared/errors.ts";
import { findOperatingPoint, type OperatingPoint, type ScorableModel } from "../../shared/model.ts";
import { RequestError } from "../http/problem.ts";

export interface Options {
  readonly point: OperatingPoint;
  readonly explain: boolean;
  /** How common 1s are where the sequences come from; undefined: as in training. */
  readonly prior?: number;
  /** The answer gives each prediction an id by which its outcome can be told. */
  readonly remember?: boolean;
  /** By which outcomes of the sequences can be told already. */
  readonly ids?: readonly string[];
  /** false: the sequences share rows with others that are scored. */
  readonly apart?: boolean;
}

export const OPTION_NAMES = ["operatingPoint", "explain", "prior", "remember"] as const;

/** Throws RequestError naming the parameter. */
export function queryOptions(url: string, { operatingPoints, positiveRate }: ScorableModel): Options {
  let [point] = operatingPoints;
  let explain = false;
  let prior: number | undefined;
  let remember = false;
  const start = url.indexOf("?");
  if (start < 0) return { point, explain, prior, remember };
  for (const [name, value] of new URLSearchParams(url.slice(start))) {
    if (name === "operatingPoint") {
      const named = findOperatingPoint(operatingPoints, value);
      if (named === undefined) throw new RequestError("parameter", `${name} ${mustBeOneOf(operatingPoints)}, got ${describe(value)}`);
      point = named;
    } else if (name === "explain" || name === "remember") {
      if (value !== "true" && value !== "false")
        throw new RequestError("parameter", `${name} must be true or false, got ${describe(value)}`);
      if (name === "explain") explain = value === "true";
      else remember = value === "true";
    } else if (name === "prior") {
      prior = Number(value);
      if (!isPrior(prior, positiveRate)) throw new RequestError("parameter", `prior ${priorRule(positiveRate)}, got ${describe(value)}`);
    } else throw new RequestError("parameter", `the query must have no parameters but ${OPTION_NAMES.join(", ")}, got ${describe(name)}`);
  }
  return { point, explain, prior, remember };
}

/** Options of a JSON object, which stands at `path`, over those of the query. Throws SequenceError. */
export function bodyOptions(
  body: Record<string, unknown>,
  { operatingPoints, positiveRate }: ScorableModel,
  query: Options,
  path: Path = [],
): Options {
  const { operatingPoint, explain = query.explain, prior = query.prior, remember = query.remember ?? false } = body;
  if (typeof explain !== "boolean") throw new SequenceError([...path, "explain"], "must be true or false", describe(explain));
  if (typeof remember !== "boolean") throw new SequenceError([...path, "remember"], "must be true or false", describe(remember));
  if (prior !== undefined && !isPrior(prior, positiveRate))
    throw new SequenceError([...path, "prior"], priorRule(positiveRate), describe(prior));
  if (operatingPoint === undefined) return { point: query.point, explain, prior, remember };
  const point = findOperatingPoint(operatingPoints, operatingPoint);
  if (point === undefined) throw new SequenceError([...path, "operatingPoint"], mustBeOneOf(operatingPoints), describe(operatingPoint));
  return { point, explain, prior, remember };
}

/** A prior is held against the training part's base rate. */
function isPrior(value: unknown, positiveRate: number | undefined): value is number {
  return positiveRate !== undefined && typeof value === "number" && value > 0 && value < 1;
}

function priorRule(positiveRate: number | undefined): string {
  if (positiveRate === undefined) return "must be left out, since how common 1s were in this model's training is not known";
  return "must be a number above 0 and below 1";
}

function mustBeOneOf(points: readonly OperatingPoint[]): string {
  return `must be one of ${points.map(({ name }) => name).join(", ")}`;
}

/** Throws RequestError where the answer, of `form`, has no place for the ids of predictions. */
export function refuseRemember({ remember }: Options, form: string): void {
  if (remember) throw new RequestError("parameter", `remember is a parameter of /v1/score's JSON and lines: ${form} has no place for it`);
}
