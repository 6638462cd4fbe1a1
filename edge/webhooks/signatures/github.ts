// GitHub: `X-Hub-Signature-256: sha256=…`. Its delivery id is not signed, so it says nothing about what the event is.
import type { Bytes } from "../encoding.ts";
import type { Verdict } from "../verdict.ts";
import { verifyHmac } from "./hmac.ts";

export function verifyGithub(secrets: readonly Bytes[], headers: Headers, bytes: Bytes): Promise<Verdict> {
  return verifyHmac({ secrets, header: "x-hub-signature-256", encoding: "hex", prefix: "sha256=" }, headers, bytes);
}
