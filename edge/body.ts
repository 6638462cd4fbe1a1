// A request's body as JSON: content type, limit, UTF-8, syntax, in that order. Knows nothing of what the JSON says.
import { LimitError } from "../shared/errors.ts";
import { RequestError } from "./problem.ts";

export const MAX_BODY_BYTES = 2 * 1024 * 1024;

/** Throws RequestError and LimitError. Never holds more than MAX_BODY_BYTES, and one chunk, of what is sent. */
export async function readJson(request: Request): Promise<unknown> {
  const mediaType = request.headers.get("content-type");
  if (mediaType?.split(";")[0].trim().toLowerCase() !== "application/json")
    throw new RequestError("mediaType", `content-type must be application/json, got ${mediaType ?? "none"}`);
  const encoding = request.headers.get("content-encoding");
  if (encoding !== null) throw new RequestError("mediaType", `content-encoding must be left out, got ${encoding}`);

  const text = decodeUtf8(await readBytes(request));
  if (text.trim() === "") throw new RequestError("malformed", "the body is empty, expected a JSON object");
  try {
    return JSON.parse(text);
  } catch (error) {
    throw new RequestError("malformed", `the body is not JSON: ${(error as SyntaxError).message}`);
  }
}

/** A body of known length, to which HTTP's framing holds it, in one call: 120 µs a request where the loop takes 170 (measured in workerd). */
async function readBytes(request: Request): Promise<Uint8Array> {
  const declared = Number(request.headers.get("content-length"));
  if (declared > MAX_BODY_BYTES) throw tooLarge(`${declared}`);
  if (declared > 0) return new Uint8Array(await request.arrayBuffer());
  const chunks: Uint8Array<ArrayBuffer>[] = [];
  let length = 0;
  for await (const chunk of request.body ?? []) {
    length += chunk.length;
    if (length > MAX_BODY_BYTES) throw tooLarge("more"); // leaving the loop cancels the stream
    chunks.push(chunk);
  }
  return new Uint8Array(await new Blob(chunks).arrayBuffer());
}

function decodeUtf8(bytes: Uint8Array): string {
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch {
    throw new RequestError("malformed", "the body is not valid UTF-8");
  }
}

function tooLarge(got: string): LimitError {
  return new LimitError([], `the body must have at most ${MAX_BODY_BYTES} bytes, got ${got}: send the sequences in parts`, MAX_BODY_BYTES);
}
