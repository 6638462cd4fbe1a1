// Verifies a delivery that is signed with an ed25519 key (v1a), which the package standardwebhooks does not know.
import { createPublicKey, verify } from "node:crypto";

/** `whpk`: the public key whpk_…; `headers`: of the delivery, in lower case; `body`: its raw text; `now`: seconds since 1970. */
export function isGenuine(whpk, headers, body, now = Date.now() / 1000) {
  const x = Buffer.from(whpk.slice("whpk_".length), "base64").toString("base64url");
  const key = createPublicKey({ key: { kty: "OKP", crv: "Ed25519", x }, format: "jwk" });
  const { "webhook-id": id, "webhook-timestamp": timestamp, "webhook-signature": list } = headers;
  const signed = Buffer.from(`${id}.${timestamp}.${body}`);
  const fits = (text) => text.startsWith("v1a,") && verify(null, signed, key, Buffer.from(text.slice(4), "base64"));
  return Math.abs(now - timestamp) <= 300 && list.split(" ").some(fits);
}
