// What a caller calls its request: a trace of W3C's Trace Context, level 1, and an id of its own.

/** Version 00: trace, parent, flags; none of the first two all zeros. */
const TRACEPARENT = /^00-(?!0{32})[0-9a-f]{32}-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}$/;
/** What a log and a header can hold as it is. */
const REQUEST_ID = /^[A-Za-z0-9._:-]{1,128}$/;

/** The header `traceparent`; undefined where there is none, or one that is none: that is passed over, as the standard wants it. */
export function traceOf(headers: Headers): string | undefined {
  const trace = headers.get("traceparent");
  return trace !== null && TRACEPARENT.test(trace) ? trace : undefined;
}

/** The caller's own id of the request; undefined where there is none, or one that is too long or holds other signs than ids do. */
export function callersId(headers: Headers): string | undefined {
  const id = headers.get("x-request-id");
  return id !== null && REQUEST_ID.test(id) ? id : undefined;
}
