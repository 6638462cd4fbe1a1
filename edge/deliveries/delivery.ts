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
/** What is kept of what a receiver says that took it, as far as it comes so soon. */
export const MAX_THANKS_BYTES = 256;
const THANKS_MS = 500;

export interface Attempt {
  readonly verdict: "delivered" | "disable" | "retry";
  /** Absent: there was no answer. */
  readonly status?: number;
  readonly retryAfterMs?: number;
  /** The beginning of the answer, at most MAX_DIAGNOSTICS_BYTES, MAX_THANKS_BYTES where it was delivered; or the error. */
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
    if (verdict === "delivered") return { verdict, status, diagnostics: await readThanks(response) };
    const retryAfterMs = parseRetryAfter(response.headers.get("retry-after"), now());
    return { verdict, status, retryAfterMs, diagnostics: await readDiagnostics(response) };
  } catch (error) {
    return { verdict: "retry", diagnostics: cut(error instanceof Error ? `${error.name}: ${error.message}` : String(error)) };
  }
}

/** The first bytes of an answer's body, if they are there at once: nobody waits for the rest, and what becomes of it does not matter. */
async function readThanks({ body }: Response): Promise<string> {
  const reader = body?.getReader();
  if (reader === undefined) return "";
  const late = new Promise<undefined>((done) => AbortSignal.timeout(THANKS_MS).addEventListener("abort", () => done(undefined)));
  try {
    const first = await Promise.race([reader.read(), late]);
    return cut(new TextDecoder().decode(first?.value?.subarray(0, MAX_THANKS_BYTES)), MAX_THANKS_BYTES);
  } catch {
    return "";
  } finally {
    void reader.cancel().catch(() => {});
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

/** At most `most` bytes of UTF-8. */
function cut(text: string, most = MAX_DIAGNOSTICS_BYTES): string {
  const { read } = new TextEncoder().encodeInto(text, new Uint8Array(most));
  return text.slice(0, read);
}
