// Every failure a request can meet, and how each reads on the wire: RFC 9457 application/problem+json.
import type { Context } from "hono";
import { formatPointer, isQuickstepError, type QuickstepError } from "../shared/errors.ts";

/** What only HTTP can get wrong; everything else is in shared/errors.ts. */
export class RequestError extends Error {
  readonly kind: "malformed" | "notFound" | "method" | "mediaType";
  constructor(kind: RequestError["kind"], message: string) {
    super(message);
    this.name = "RequestError";
    this.kind = kind;
  }
}

type Kind = QuickstepError["kind"] | RequestError["kind"] | "internal";

/** Each kind's status and title. `data`, `usage` and `fit` belong to the trainer: met here, they are our fault. */
const PROBLEMS = {
  sequence: [422, "The body is not what the model takes"],
  limit: [413, "Too much for one request"],
  malformed: [400, "The body is not JSON"],
  mediaType: [415, "The body must be application/json"],
  notFound: [404, "No such route"],
  method: [405, "Method not allowed"],
  artifact: [503, "No usable model is deployed"],
  data: [500, "Internal error"],
  usage: [500, "Internal error"],
  fit: [500, "Internal error"],
  internal: [500, "Internal error"],
} as const satisfies Record<Kind, readonly [status: number, title: string]>;

/** Answers with the problem that `error` is. What we did not foresee shows no inside. */
export function problem(c: Context, error: unknown): Response {
  const known = isQuickstepError(error) || error instanceof RequestError;
  const kind = known ? error.kind : "internal";
  const [status, title] = PROBLEMS[kind];
  const detail = known ? error.message : "this should not have happened: report it with the request's id";
  const hasPlace = known && "path" in error && error.path.length > 0;
  const body = { type: `urn:quickstep:problem:${kind}`, title, status, detail, ...(hasPlace && { pointer: formatPointer(error.path) }) };
  return c.json(body, status, { "content-type": "application/problem+json" });
}
