// What every route runs inside: who asks and who answers, in the headers of every answer and in one log record a request.
import type { Context, MiddlewareHandler } from "hono";
import { routePath } from "hono/route";
import { VERSION } from "../../shared/version.ts";
import type { StreamPattern } from "../config/stream-patterns.ts";
import { callersId, traceOf } from "./trace.ts";

/** What is known of a request when it is over: never an input, never a key, never a signature. */
export interface RequestRecord {
  id: string;
  method: string;
  /** The route's pattern, not what the client wrote. */
  route: string;
  status: number;
  model: string;
  version: string;
  /** From the request's arrival to its answer, or to the last byte of a streamed one. A Worker's clock stands still while it computes: this is waiting. */
  durationMs: number;
  /** The trace that the caller named: 32 hexadecimal digits. */
  trace?: string;
  /** The name of the key. */
  key?: string;
  /** The source of a webhook. */
  source?: string;
  /** Why the webhook was not believed. */
  refusal?: string;
  /** 1 for a webhook that its source does not want. */
  ignored?: number;
  /** Of its events: new ones, those that were known, those that came later than a full window. */
  taken?: number;
  replayed?: number;
  late?: number;
  /** Where a person confirms a subscription of SNS. */
  subscribe?: string;
  /** Sequences scored. */
  sequences?: number;
  /** Lines of a stream that were answered with an error. */
  lineErrors?: number;
  /** The kind of problem it was answered with. */
  problem?: string;
  /** Where in the body that is: RFC 6901. */
  pointer?: string;
  /** What is wrong with the configuration: may hold its values, which the answer does not. */
  fault?: string;
}

/** What middleware leaves for the routes behind it. */
export interface EdgeEnv {
  Variables: {
    sha256: string;
    record: RequestRecord;
    /** The only streams that who asks may read and write; undefined: all. */
    streams?: readonly StreamPattern[];
    /** Whether the answer may show what the configuration says, and rows as they came: to admins, and on the machine of a developer. */
    isTrusted?: boolean;
    /** What every answer carries but the request's id. */
    headers: Headers;
    /** The answer that carries all headers already: answerWith made it. */
    named?: Response;
    /** Of a streamed answer: settled when its last byte is out. */
    finished?: Promise<void>;
  };
}
export type EdgeContext = Context<EdgeEnv>;

/** Set on every answer that does not bring its own value of them, as the page does with the first two. */
const SECURITY_HEADERS = {
  "content-security-policy": "default-src 'none'; frame-ancestors 'none'",
  "cache-control": "no-store",
  "strict-transport-security": "max-age=31536000",
  "x-content-type-options": "nosniff",
  "referrer-policy": "no-referrer",
  "cross-origin-resource-policy": "same-origin",
};

/**
 * Outermost middleware: names the artifact, the code and the request in the headers of every response, errors included, beside the
 * security headers; logs the request when its answer is over. `sha256`: of the artifact, as hexadecimal digits. `log` gets one record
 * a request.
 */
export function requestContext(
  sha256: () => Promise<string>,
  log: (record: RequestRecord) => void,
  now: () => number,
): MiddlewareHandler<EdgeEnv> {
  return async (c, next) => {
    const hash = await sha256();
    const started = now();
    const { headers: given } = c.req.raw;
    const id = callersId(given) ?? given.get("cf-ray") ?? crypto.randomUUID();
    const record: RequestRecord = {
      id,
      method: c.req.method,
      route: "",
      status: 0,
      model: hash.slice(0, 12),
      version: VERSION,
      durationMs: 0,
    };
    const trace = traceOf(given);
    if (trace !== undefined) record.trace = trace.slice(3, 35);
    c.set("sha256", hash);
    c.set("record", record);
    c.set("headers", headersOf(hash));
    await next();
    if (c.res !== c.get("named")) {
      const sent = c.res.headers;
      for (const [name, value] of c.get("headers")) if (!sent.has(name)) sent.set(name, value);
      sent.set("x-request-id", id);
    }
    record.route = routePath(c, -1);
    record.status = c.res.status;
    const finish = (): void => {
      record.durationMs = Math.max(0, now() - started); // the clock may have been set back
      log(record);
    };
    const finished = c.get("finished"); // a streamed answer is over later
    if (finished === undefined) finish();
    else waitUntil(c, finished.then(finish));
  };
}

/** Of models that were swapped out, too: few, since their names and hashes are. */
const headersByModel = new Map<string, Headers>();
const MAX_HEADERS = 64;

/** What every answer of this artifact carries. */
function headersOf(hash: string): Headers {
  const known = headersByModel.get(hash);
  if (known !== undefined) return known;
  if (headersByModel.size >= MAX_HEADERS) headersByModel.clear();
  const headers = new Headers({ ...SECURITY_HEADERS, "x-quickstep-model": hash, "x-quickstep-version": VERSION });
  headersByModel.set(hash, headers);
  return headers;
}

/** From here on the headers of the answer and its record name this artifact. */
export function nameModel(c: EdgeContext, sha256: string): void {
  if (c.get("sha256") === sha256) return;
  c.set("sha256", sha256);
  c.set("headers", headersOf(sha256));
  c.get("record").model = sha256.slice(0, 12);
}

/** On this answer alone. */
export function addHeader(c: EdgeContext, name: string, value: string): void {
  const headers = new Headers(c.get("headers"));
  headers.set(name, value);
  c.set("headers", headers);
}

/** Outside workerd there is nothing to keep alive. */
export function waitUntil(c: EdgeContext, promise: Promise<unknown>): void {
  try {
    c.executionCtx.waitUntil(promise);
  } catch {
    void promise;
  }
}
