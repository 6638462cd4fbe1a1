// Each provider's preset or scheme beside requests that the provider's own library signed or took, or its documentation shows
// (test/fixtures/providers/make.mjs): taken as they are; refused where any bit of signature or content differs.
import { describe, expect, test } from "vitest";
import { ConfigurationError } from "../../../edge/config/configuration.ts";
import type { Incoming } from "../../../edge/webhooks/signatures/scheme.ts";
import { parseScheme, SCHEME_NAMES, signsTime, verify } from "../../../edge/webhooks/signatures/schemes.ts";
import { type Vector, vectors } from "../../fixtures/providers/vectors.ts";

const titled = vectors.map((vector, i) => [`${vector.scheme}, by ${vector.by} (${i})`, vector] as const);
const SIGNATURE: Readonly<Record<string, RegExp>> = {
  "paddle-signature": /(?<=h1=)[0-9a-f]+$/,
};

/** A secret that is not the vector's, for a scheme or a beginning of its own. */
const OTHERS = [
  ["discord", "1".repeat(64)],
  ["whpk_", `whpk_${btoa("another public key of 32 bytes!!")}`],
  ["standard-webhooks", "whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD"],
  ["", "another secret of 32 characters!"],
] as const;

function parse(scheme: string, table: object, secret?: string) {
  const secretOf = (name: string) => (name === "SECRET" ? secret : name === "OTHER" ? "another secret of some length" : undefined);
  return parseScheme(
    { scheme, ...(secret !== undefined && { secrets: ["SECRET"] }), ...table },
    ["SOURCES", "s"],
    ["scheme", "secrets"],
    secretOf,
  );
}

const bytesOf = (text: string) => new TextEncoder().encode(text);
const flip = (bytes: Uint8Array<ArrayBuffer>, bit: number) => {
  const changed = bytes.slice();
  changed[bit >> 3] ^= 1 << (bit & 7);
  return changed;
};

/** The ASCII texts that differ from the first `end` characters of `text` in one bit. */
function* flipsOf(text: string, end = text.length): Generator<readonly [bit: number, text: string]> {
  for (let bit = 0; bit < end * 7; bit++) {
    const at = Math.floor(bit / 7);
    yield [bit, text.slice(0, at) + String.fromCharCode(text.charCodeAt(at) ^ (1 << (bit % 7))) + text.slice(at + 1)];
  }
}

/** Whether a header can hold `text`, and as it is. */
function isHeader(text: string): boolean {
  try {
    return new Headers({ x: text }).get("x") === text;
  } catch {
    return false;
  }
}

function send({ scheme, table, secret, headers, query, now, certificate }: Vector, body: Uint8Array<ArrayBuffer>, changed = headers) {
  const fetched: string[] = [];
  const fetch: Incoming["fetch"] = async (url) => {
    fetched.push(url);
    return new Response(certificate);
  };
  const incoming = { headers: new Headers(changed), url: `https://edge.test/hooks/s${query}`, fetch };
  return verify({ scheme: parse(scheme, table, secret) }, incoming, body, now);
}

/** Where the text is in a header that is the signature in digits: at its end. */
const signatureIn = (name: string): RegExp => SIGNATURE[name] ?? /[0-9a-f]{40,}$|[0-9A-Za-z+/]{20,}=*$/;
const isSignature = (name: string): boolean => /signature(?!-timestamp)|hmac/.test(name);

/** The texts of `vector` that are signatures, as bytes; and the request with others in their place. */
function signatureOf({ scheme, headers, body }: Vector) {
  if (scheme === "sns" || scheme === "mailgun") {
    const field = scheme === "sns" ? "Signature" : "signature";
    const parsed = JSON.parse(body);
    const holder = scheme === "sns" ? parsed : parsed.signature;
    const encoding = scheme === "sns" ? "base64" : "hex";
    const with_ = (bytes: Uint8Array) => {
      holder[field] = Buffer.from(bytes).toString(encoding);
      return { headers, body: JSON.stringify(parsed) };
    };
    return { bytes: new Uint8Array(Buffer.from(holder[field], encoding)), with: with_ };
  }
  const name = Object.keys(headers).find(isSignature)!;
  const at = signatureIn(name);
  const text = at.exec(headers[name])![0];
  const encoding = /^([0-9a-f]{2})+$/.test(text) ? "hex" : "base64";
  const with_ = (bytes: Uint8Array) => ({
    headers: { ...headers, [name]: headers[name].replace(at, () => Buffer.from(bytes).toString(encoding)) },
    body,
  });
  return { bytes: new Uint8Array(Buffer.from(text, encoding)), with: with_ };
}

describe.each(titled)("%s", (_, vector) => {
  test("is taken", async () => {
    expect(await send(vector, bytesOf(vector.body))).toMatchObject({ ok: true });
  });

  test("is refused with any bit of the signature changed", async () => {
    const signature = signatureOf(vector);
    expect(signature.bytes.length).toBeGreaterThan(19);
    for (let bit = 0; bit < signature.bytes.length * 8; bit++) {
      const { headers, body } = signature.with(flip(signature.bytes, bit));
      expect(await send(vector, bytesOf(body), headers), `bit ${bit}`).toMatchObject({ ok: false });
    }
    const { headers, body } = signature.with(new Uint8Array(0));
    expect(await send(vector, bytesOf(body), headers)).toMatchObject({ ok: false });
  });

  test("is refused with any bit of what is signed changed", async () => {
    const body = bytesOf(vector.body);
    const [from, to] = signedBits(vector, body);
    for (let bit = from; bit < to; bit++) {
      const verdict = await send(vector, flip(body, bit));
      if (verdict.ok) expect(sameFields(vector, body, flip(body, bit)), `bit ${bit}`).toBe(true);
    }
    expect(to - from).toBeGreaterThan(80);
  });

  test("is refused with any bit of its headers, its query and its address changed, but for the signature's own digits", async () => {
    for (const [name, value] of Object.entries(vector.headers)) {
      if (name === "content-type") continue;
      const end = isSignature(name) ? value.search(signatureIn(name)) : value.length;
      for (const [bit, text] of flipsOf(value, end)) {
        if (!isHeader(text)) continue;
        const verdict = await send(vector, bytesOf(vector.body), { ...vector.headers, [name]: text });
        expect(verdict, `${name}, bit ${bit}`).toMatchObject({ ok: false });
      }
    }
    for (const [bit, query] of flipsOf(vector.query))
      expect(await send({ ...vector, query }, bytesOf(vector.body)), `query, bit ${bit}`).toMatchObject({ ok: false });
    const { url = "" } = vector.table as { url?: string };
    for (const [bit, elsewhere] of flipsOf(url)) {
      if (!/^https?:\/\/[!-~]+$/.test(elsewhere)) continue; // which cannot be configured
      const verdict = await send({ ...vector, table: { url: elsewhere } }, bytesOf(vector.body));
      expect(verdict, `url, bit ${bit}`).toMatchObject({ ok: false });
    }
  });

  test("is refused with another secret", async () => {
    if (vector.secret === undefined) return; // SNS: by a certificate
    const other = OTHERS.find(([begins]) => vector.secret!.startsWith(begins) || vector.scheme === begins)![1];
    expect(await send({ ...vector, secret: other }, bytesOf(vector.body))).toMatchObject({ ok: false });
  });

  test("is refused when it is old, where a time is signed", async () => {
    if (!signsTime({ scheme: parse(vector.scheme, vector.table, vector.secret) })) return;
    for (const seconds of [-301, vector.scheme === "sns" ? 3901 : 301]) {
      const verdict = await send(
        { ...vector, now: vector.now + (seconds < 0 && vector.scheme === "sns" ? -3901 : seconds) },
        bytesOf(vector.body),
      );
      expect(verdict).toMatchObject({ ok: false, refusal: expect.stringMatching(/seconds (old|ahead)/) });
    }
  });
});

/** The bits of the body that the signature is over: all, but for those that sign something beside the body. */
function signedBits({ scheme, body }: Vector, bytes: Uint8Array): readonly [from: number, to: number] {
  if (scheme === "mailgun") {
    const from = body.indexOf('"token":"') + '"token":"'.length;
    return [from * 8, (from + 50) * 8];
  }
  return scheme === "sns" ? [0, body.indexOf('"SignatureVersion"') * 8] : [0, bytes.length * 8];
}

/** JSON has one text more than one way (`\n`), and SNS signs the texts; a form has one field more than one way, and Twilio signs the fields. */
function sameFields({ scheme, query }: Vector, body: Uint8Array, changed: Uint8Array): boolean {
  const [a, b] = [body, changed].map((bytes) => new TextDecoder().decode(bytes));
  if (scheme === "sns") return JSON.stringify(JSON.parse(a)) === JSON.stringify(JSON.parse(b));
  const fieldsOf = (text: string) =>
    [...new URLSearchParams(text)]
      .map((pair) => pair.join(""))
      .sort()
      .join("");
  return scheme === "twilio" && query === "" && fieldsOf(a) === fieldsOf(b);
}

test("every preset has a vector, and so has every scheme of its own", () => {
  const named = new Set(vectors.map(({ scheme }) => scheme));
  expect(SCHEME_NAMES.filter((scheme) => !named.has(scheme))).toEqual(["hmac", "token", "graph"]); // which nobody's library signs
});

describe("SNS' certificate", () => {
  const vector = vectors.find(({ scheme }) => scheme === "sns")!;
  const named = (url: string) => bytesOf(JSON.stringify({ ...JSON.parse(vector.body), SigningCertURL: url }));
  test.each([
    "https://sns.eu-central-1.amazonaws.com.example.com/SimpleNotificationService-1.pem",
    "https://sns.eu-central-1.amazonaws.com/SimpleNotificationService-1.pem?x",
    "https://evil.example/SimpleNotificationService-1.pem",
    "http://sns.eu-central-1.amazonaws.com/SimpleNotificationService-1.pem",
    "https://sns.eu-central-1.amazonaws.com/other.pem",
    "https://a@sns.eu-central-1.amazonaws.com/SimpleNotificationService-1.pem",
    "https://sns.eu.central.amazonaws.com/SimpleNotificationService-1.pem",
  ])("is not fetched from %s", async (url) => {
    expect(await send(vector, named(url))).toEqual({ ok: false, refusal: "SigningCertURL is not a certificate of SNS' own" });
  });

  test.each([
    ["longer than 16 kB", vector.certificate!.replace("-----BEGIN", `${" ".repeat(16_384)}-----BEGIN`)],
    ["that is none", "-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----"],
    ["that is empty", ""],
  ])("one %s is not used", async (title, certificate) => {
    const url = `https://sns.eu-west-1.amazonaws.com/SimpleNotificationService-${title.replaceAll(/\W/g, "")}.pem`;
    expect(await send({ ...vector, certificate }, named(url))).toMatchObject({
      ok: false,
      refusal: expect.stringContaining("cannot be had"),
    });
  });

  test("is fetched once", async () => {
    const url = "https://sns.eu-west-2.amazonaws.com/SimpleNotificationService-once.pem";
    expect(await send(vector, named(url))).toMatchObject({ ok: true, id: "22b80b92-fdea-4c2c-8f9d-bdfb0c7bf324" });
    expect(await send({ ...vector, certificate: "" }, named(url))).toMatchObject({ ok: true });
  });
});

test("a message of another topic is refused: anybody's is signed by the same certificate", async () => {
  const vector = { ...vectors.find(({ scheme }) => scheme === "sns")!, table: { topic: "arn:aws:sns:eu-central-1:999999999999:readings" } };
  expect(await send(vector, bytesOf(vector.body))).toEqual({ ok: false, refusal: "the message is of another topic" });
});

describe("Microsoft Graph", () => {
  const secret = "client state of some length";
  const graph = (value: unknown) =>
    verify({ scheme: parse("graph", {}, secret) }, { headers: new Headers() }, bytesOf(JSON.stringify({ value })), 0);
  test("is taken with clientState in each element, and refused with one that differs or lacks it", async () => {
    expect(await graph([{ clientState: secret }, { clientState: secret }])).toEqual({ ok: true });
    for (const value of [
      [],
      {},
      [{ clientState: secret }, { clientState: `${secret} ` }],
      [{ clientState: secret }, {}],
      [null],
      [{ clientState: [secret] }],
    ])
      expect(await graph(value), JSON.stringify(value)).toMatchObject({ ok: false });
  });
});

describe("a template of what is signed", () => {
  const base = { header: "x-signature", encoding: "hex", secrets: ["SECRET"] };
  const fault = (table: object) => {
    try {
      parseScheme({ scheme: "hmac", ...base, ...table }, ["SOURCES", "s"], ["scheme", "secrets"], () => "a secret of some length");
      return "";
    } catch (error) {
      return error instanceof ConfigurationError ? error.message : String(error);
    }
  };
  test.each<[object, string]>([
    [{ signed: "{timestamp}.{body}" }, "SOURCES.s must have sentAt, for {timestamp}"],
    [{ sentAt: "x-time" }, "SOURCES.s must have {timestamp} where the template names what is signed, or no sentAt"],
    [{ signed: "{url}{body}" }, "SOURCES.s.url must be the address that the sender was given"],
    [{ signed: "{id}{body}", idHeader: "x-id" }, "SOURCES.s.signed must have a text behind {id}"],
    [{ signed: "{timestamp}0{body}", sentAt: "x-time" }, "SOURCES.s.signed must have a text that does not begin with a digit"],
    [{ signed: "{timestamp}", sentAt: "x-time" }, "SOURCES.s.signed must have {body} once"],
    [{ signed: "{body}{headers}" }, "SOURCES.s.signed must have no braces but"],
    [{ header: "x signature" }, "SOURCES.s.header must be a header, or a header and the name of a part"],
    [{ header: "x-signature/" }, "SOURCES.s.header must be a header, or a header and the name of a part"],
    [{ algorithm: "md5" }, "SOURCES.s.algorithm must be one of sha256, sha512, sha1"],
    [{ tolerance: 0 }, "SOURCES.s.tolerance must be 1 to 86400 seconds"],
    [{ url: "https://a.example/" }, "SOURCES.s must have {url} where the template names what is signed, or no url"],
  ])("%j cannot be configured", (table, sentence) => {
    expect(fault(table)).toContain(sentence);
  });

  test("takes an id that is signed for the event's own, and none that could be split otherwise", async () => {
    const scheme = parse(
      "hmac",
      { ...base, signed: "{id}.{timestamp}.{body}", idHeader: "x-id", sentAt: "x-time", algorithm: "sha512" },
      "a secret of some length",
    );
    const { createHmac } = await import("node:crypto");
    const sign = (id: string) => ({
      "x-id": id,
      "x-time": "1000",
      "x-signature": createHmac("sha512", "a secret of some length").update(`${id}.1000.{}`).digest("hex"),
    });
    const judge = (headers: Record<string, string>) => verify({ scheme }, { headers: new Headers(headers) }, bytesOf("{}"), 1000);
    expect(await judge(sign("evt_1"))).toEqual({ ok: true, id: "evt_1" });
    expect(await judge(sign("evt.1"))).toMatchObject({ ok: false });
    expect(await judge({ ...sign("evt_1"), "x-id": "evt_2" })).toMatchObject({ ok: false });
  });
});
