// Every failure a request can meet, and how each reads on the wire: RFC 9457 application/problem+json.
import { formatPointer, isQuickstepError, type Path, type QuickstepError } from "../../shared/errors.ts";

/** What only HTTP can get wrong; everything else is in shared/errors.ts. */
export class RequestError extends Error {
  readonly kind:
    | "malformed"
    | "parameter"
    | "notFound"
    | "method"
    | "mediaType"
    | "unauthorised"
    | "forbidden"
    | "rate"
    | "keys"
    | "signature"
    | "conflict"
    | "model"
    | "moved"
    | "unservable"
    | "configuration"
    | "loop"
    | "slow"
    | "storage"
    | "unbound";
  /** Where in the body; empty where it is no place there. */
  readonly path: Path;
  constructor(kind: RequestError["kind"], message: string, path: Path = []) {
    super(message);
    this.name = "RequestError";
    this.kind = kind;
    this.path = path;
  }
}

export type ProblemKind = QuickstepError["kind"] | RequestError["kind"] | "internal";

/** Each kind's status and title. `data`, `usage` and `fit` belong to the trainer: met here, they are internal errors. */
export const PROBLEMS = {
  sequence: [422, "The body is not what the model takes"],
  parameter: [422, "A parameter is not one there is"],
  limit: [413, "Too much for one request"],
  malformed: [400, "The body cannot be read"],
  mediaType: [415, "The body is of a type this route does not take"],
  unauthorised: [401, "No valid key"],
  forbidden: [403, "The key may not do this"],
  rate: [429, "Too many requests"],
  notFound: [404, "Not found"],
  method: [405, "Method not allowed"],
  artifact: [503, "No usable model is deployed"],
  keys: [503, "No usable keys are configured"],
  signature: [401, "Not proven to come from this source"],
  conflict: [409, "The id is taken"],
  model: [409, "The model asked for does not answer"],
  moved: [409, "The pointer is another by now"],
  unservable: [422, "The artifact cannot be served"],
  configuration: [503, "The configuration cannot be used"],
  slow: [408, "The body took too long"],
  loop: [508, "Sent in a circle"],
  storage: [503, "Not stored: send it again"],
  unbound: [503, "This deployment has not what it takes"],
  data: [500, "Internal error"],
  usage: [500, "Internal error"],
  fit: [500, "Internal error"],
  internal: [500, "Internal error"],
} as const satisfies Record<ProblemKind, readonly [status: number, title: string]>;

export interface Problem {
  readonly type: string;
  readonly title: string;
  readonly status: (typeof PROBLEMS)[ProblemKind][0];
  readonly detail: string;
  /** RFC 6901: where in the body. */
  readonly pointer?: string;
}

/** The kind of the problem that `error` is; `internal` for what nobody foresaw. */
export function problemKind(error: unknown): ProblemKind {
  return isQuickstepError(error) || error instanceof RequestError ? error.kind : "internal";
}

/** Where in the body it is; empty where it is no place there. */
export function pathOf(error: unknown): Path {
  return (isQuickstepError(error) && "path" in error) || error instanceof RequestError ? error.path : [];
}

/** The problem that `error` is. What we did not foresee shows no inside. */
export function describeProblem(error: unknown): Problem {
  const kind = problemKind(error);
  const [status, title] = PROBLEMS[kind];
  const detail = kind === "internal" ? "this should not have happened: report it with the request's id" : (error as Error).message;
  const path = pathOf(error);
  return { type: `urn:quickstep:problem:${kind}`, title, status, detail, ...(path.length > 0 && { pointer: formatPointer(path) }) };
}

/** The answer to `error`. `withError`: with the `error` that clients of the Open Inference Protocol and of TensorFlow Serving read. */
export function problemResponse(error: unknown, withError: boolean): Response {
  const problem = describeProblem(error);
  const body = withError ? { ...problem, error: problem.detail } : problem;
  return new Response(JSON.stringify(body), { status: body.status, headers: { "content-type": "application/problem+json" } });
}
