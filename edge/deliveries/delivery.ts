// One attempt to deliver one outbox row, and what came of it. Knows no storage; clock and fetch arrive as arguments.
import { VERSION } from "../../shared/version.ts";
import { HOPS_HEADER } from "../http/hops.ts";
import { contentTypeOf } from "./bodies.ts";
import type { Destination } from "./destinations.ts";
import { classifyStatus, parseRetryAfter } from "./schedule.ts";
import { signDelivery } from "./signing.ts";

/** Standard Webhooks 1.0.0: 15 to 30 s. */
export const DELIVERY_TIMEOUT_MS = 15_000;
/** What is kept of a receiver's complaint. */
export const MAX_DIAGNOSTICS_BYTES = 1024;

export interface Attempt {
  readonly verdict: "delivered" | "disable" | "retry";
  /** Absent: there was no answer. */
  readonly status?: number;
  readonly retryAfterMs?: number;
  /** Why it failed: at most MAX_DIAGNOSTICS_BYTES of the answer, or the error. Empty where it did not. */
  readonly diagnostics: string;
}

export type Fetch = (url: string, init: RequestInit) => Promise<Response>;

/** What an attempt sends. `body` and `id` are the row's or its batch's, the same on every attempt. */
export interface Sending {
  readonly id: string;
  readonly body: string;
  readonly isBatch: boolean;
  readonly hops: number;
  readonly trace?: string | null;
}

/** Never throws. Timestamp and signatures are this attempt's. */
export async function attemptDelivery(
  { url, keys, headers: own, body: kind }: Destination,
  { id, body, isBatch, hops, trace }: Sending,
  now: () => number,
  fetch: Fetch,
): Promise<Attempt> {
  try {
    const signed = await signDelivery({ id, timestampSeconds: Math.floor(now() / 1000), body, keys });
    const headers: Record<string, string> = { ...own, ...signed, "content-type": contentTypeOf(kind, isBatch) };
    const signal = AbortSignal.timeout(DELIVERY_TIMEOUT_MS);
    headers["user-agent"] = `quickstep/${VERSION}`;
    headers[HOPS_HEADER] = `${hops}`;
    if (trace) headers.traceparent = trace;
    const response = await fetch(url, { method: "POST", headers, body, redirect: "manual", signal });
    const { status } = response;
    const verdict = classifyStatus(status);
    if (verdict === "delivered") {
      await response.body?.cancel();
      return { verdict, status, diagnostics: "" };
    }
    const retryAfterMs = parseRetryAfter(response.headers.get("retry-after"), now());
    return { verdict, status, retryAfterMs, diagnostics: await readDiagnostics(response) };
  } catch (error) {
    return { verdict: "retry", diagnostics: cut(error instanceof Error ? `${error.name}: ${error.message}` : String(error)) };
  }
}

/** The beginning of the answer's body. What it says is for people: a body that breaks off is as long as it is. */
async function readDiagnostics({ body }: Response): Promise<string> {
  const bytes = new Uint8Array(MAX_DIAGNOSTICS_BYTES);
  let length = 0;
  try {
    for await (const chunk of body ?? []) {
      const piece = chunk.subarray(0, MAX_DIAGNOSTICS_BYTES - length);
      bytes.set(piece, length);
      length += piece.length;
      if (length === MAX_DIAGNOSTICS_BYTES) break; // which cancels the rest
    }
  } catch {}
  return cut(new TextDecoder().decode(bytes.subarray(0, length)));
}

/** At most MAX_DIAGNOSTICS_BYTES of UTF-8. */
function cut(text: string): string {
  const { read } = new TextEncoder().encodeInto(text, new Uint8Array(MAX_DIAGNOSTICS_BYTES));
  return text.slice(0, read);
}
