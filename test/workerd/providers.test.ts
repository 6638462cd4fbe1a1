// Providers' signatures with the crypto.subtle of the real runtime: each is taken, and refused where its body or its signature differs.
import { expect, test } from "vitest";
import { parseScheme, verify } from "../../edge/webhooks/signatures/schemes.ts";
import { vectors } from "../fixtures/providers/vectors.ts";

test.each(vectors.map((vector, i) => [`${vector.scheme} (${i})`, vector] as const))("%s", async (_, vector) => {
  const { scheme, secret, table, headers, body, query, now, certificate } = vector;
  const given = { scheme, ...(secret !== undefined && { secrets: ["SECRET"] }), ...table };
  const source = { scheme: parseScheme(given, ["SOURCES", "s"], ["scheme", "secrets"], () => secret) };
  const incoming = (changed = headers) => ({
    headers: new Headers(changed),
    url: `https://edge.test/hooks/s${query}`,
    fetch: async () => new Response(certificate),
  });
  const bytes = new TextEncoder().encode(body);
  expect(await verify(source, incoming(), bytes, now)).toMatchObject({ ok: true });
  const changed = bytes.slice();
  changed[scheme === "mailgun" ? body.indexOf('"token":"') + 12 : 10] ^= 1;
  expect(await verify(source, incoming(), changed, now)).toMatchObject({ ok: false });
  if (scheme === "sns" || scheme === "mailgun") return; // their signature stands in the body
  expect(await verify(source, incoming({}), bytes, now)).toMatchObject({ ok: false });
});
