// Every sender in Node; and our verdicts beside those of the senders' own libraries, our deliveries in their hands.
import { createHmac, createPublicKey, generateKeyPairSync, type KeyObject, sign, verify as verifyEd25519 } from "node:crypto";
import { verifyWithFallback } from "@octokit/webhooks-methods";
import { Webhook } from "standardwebhooks";
import Stripe from "stripe";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { signDelivery } from "../../../edge/deliveries/signing.ts";
import { readEndpoints } from "../../../edge/streams/endpoints.ts";
import { parseSigningKey } from "../../../edge/webhooks/signatures/keys.ts";
import { verify } from "../../../edge/webhooks/signatures/schemes.ts";
import { encodeArtifact } from "../../../shared/artifact/artifact.ts";
import { openApp } from "../../fixtures/app.ts";
import { kernel } from "../../fixtures/kernel.ts";
import { makeModel, randomOf } from "../../fixtures/model.ts";
import { BODY, describeDeliveries, describeSenders, ENV, NOW, SECRETS, SENDERS, type Sent, TAMPERINGS } from "../../fixtures/senders.ts";

const artifact = encodeArtifact(makeModel(kernel, { name: "fx" }));
describeSenders((dependencies) => openApp(kernel, artifact, dependencies));
describeDeliveries();

const { sources } = readEndpoints(ENV);
const stripe = new Stripe("sk_test_none");
const BODIES = [BODY, "{}", "", "\u0000", '{"a":"\\ud83d\\ude00 😀 e\u0301"}', "naïve\r\n\t — 漢字", `{"long":"${"ö".repeat(5000)}"}`];

/** The source's own library says whether it would take `sent`. */
const LIBRARIES: Record<"standard" | "stripe" | "github", (sent: Sent) => Promise<boolean>> = {
  standard: async ({ body, headers }) =>
    [SECRETS.STANDARD, SECRETS.STANDARD_NEXT].some((secret) => {
      try {
        new Webhook(secret).verify(body, headers, { jsonParse: false });
        return true;
      } catch {
        return false;
      }
    }),
  stripe: async ({ body, headers }) =>
    [SECRETS.STRIPE, SECRETS.STRIPE_NEXT].some((secret) => {
      try {
        stripe.webhooks.signature!.verifyHeader(body, headers["stripe-signature"] ?? "", secret, 300);
        return true;
      } catch {
        return false;
      }
    }),
  github: async ({ body, headers }) =>
    headers["x-hub-signature-256"]
      ? verifyWithFallback(SECRETS.GITHUB, body, headers["x-hub-signature-256"], [SECRETS.GITHUB_NEXT]).catch(() => false)
      : false,
};
const ours = async (source: string, { body, headers }: Sent): Promise<boolean> =>
  (await verify(sources.get(source)!, { headers: new Headers(headers) }, new TextEncoder().encode(body), NOW)).ok;

describe("beside the senders' own libraries", () => {
  beforeEach(() => vi.useFakeTimers({ now: NOW * 1000, toFake: ["Date"] }));
  afterEach(() => vi.useRealTimers());

  /** Refused here on purpose, where the library looks less closely: at the id's form, at digits before other text, at the future. */
  const STRICTER = /a dot that moves|only as the ninth|a timestamp that is no number|^stripe: signed 301 s ahead/;

  test.each(["standard", "stripe", "github"] as const)("%s: what we refuse as tampered with, the library refuses", async (source) => {
    let compared = 0;
    for (const { title, make } of TAMPERINGS) {
      if (!title.startsWith(`${source}:`) || title.endsWith("sent to another source")) continue;
      compared++;
      expect(await LIBRARIES[source](await make()), title).toBe(STRICTER.test(title));
    }
    expect(compared).toBeGreaterThan(14);
  });

  test.each(["standard", "stripe", "github"] as const)("%s: 500 random changes of a byte get the library's own verdict", async (source) => {
    const random = randomOf(7);
    const pick = (n: number): number => Math.floor(random() * n);
    let taken = 0;
    for (let i = 0; i < 500; i++) {
      const secret = ({ standard: "STANDARD", stripe: "STRIPE", github: "GITHUB" } as const)[source];
      const sent = await SENDERS[source](BODIES[pick(2)], secret, NOW - 290 + pick(20) * 30);
      const names = ["", ...Object.keys(sent.headers)];
      const name = names[pick(names.length)];
      const text = name === "" ? sent.body : sent.headers[name];
      const at = pick(text.length);
      const changed = text.slice(0, at) + String.fromCharCode(33 + pick(94)) + text.slice(at + 1);
      const tampered = name === "" ? { ...sent, body: changed } : { ...sent, headers: { ...sent.headers, [name]: changed } };
      const verdict = await ours(source, tampered);
      // Stricter: GitHub's library compares text, so a capital hex digit is another; ours reads the digits. Else equal.
      const theirs = await LIBRARIES[source](tampered);
      if (verdict !== theirs) expect([verdict, tampered.headers], `${source} ${i}`).toEqual([false, "the library takes it"]);
      if (verdict) taken++;
    }
    expect(taken).toBeGreaterThan(5);
  });

  test("takes any body that Standard Webhooks, Stripe and GitHub's library sign, and they take what we sign", async () => {
    for (const body of BODIES) {
      expect(await ours("standard", await SENDERS.standard(body, "STANDARD_NEXT")), body).toBe(true);
      expect(await ours("stripe", await SENDERS.stripe(body, "STRIPE_NEXT")), body).toBe(true);
      if (body !== "") expect(await ours("github", await SENDERS.github(body, "GITHUB_NEXT")), body).toBe(true);
      const keys = [SECRETS.STANDARD_NEXT, SECRETS.ASYMMETRIC, SECRETS.STANDARD].map((secret) => parseSigningKey(secret, []));
      const headers = await signDelivery({ id: "dlv_1", timestampSeconds: NOW, body, keys });
      for (const secret of [SECRETS.STANDARD, SECRETS.STANDARD_NEXT])
        expect(() => new Webhook(secret).verify(body, headers, { jsonParse: false }), body).not.toThrow();
      expect(() => new Webhook(btoa(SECRETS.STRANGE)).verify(body, headers, { jsonParse: false })).toThrow("No matching signature");
    }
  });

  test("what node:crypto computes with HMAC is what we take from GitHub, Stripe and the generic scheme", async () => {
    for (const body of BODIES) {
      const digest = (secret: string, content: string, encoding: "hex" | "base64") =>
        createHmac("sha256", secret).update(content).digest(encoding);
      const headersOf: [string, Record<string, string>][] = [
        ["github", { "x-hub-signature-256": `sha256=${digest(SECRETS.GITHUB, body, "hex")}` }],
        ["github", { "x-hub-signature-256": `sha256=${digest(SECRETS.GITHUB, body, "hex").toUpperCase()}` }],
        ["stripe", { "stripe-signature": `t=${NOW},v1=${digest(SECRETS.STRIPE, `${NOW}.${body}`, "hex")}` }],
        ["hmac", { "x-signature": `v7:${digest(SECRETS.HMAC, body, "base64")}` }],
      ];
      for (const [source, headers] of headersOf) expect(await ours(source, { path: "", body, headers }), `${source} ${body}`).toBe(true);
    }
  });
});

describe("v1a beside node:crypto", () => {
  const { publicKey, privateKey } = generateKeyPairSync("ed25519");
  const raw = (key: KeyObject, type: "spki" | "pkcs8"): Buffer => key.export({ format: "der", type } as never) as unknown as Buffer;
  const publicBytes = raw(publicKey, "spki").subarray(-32);
  const seed = raw(privateKey, "pkcs8").subarray(-32);
  const whpk = `whpk_${publicBytes.toString("base64")}`;

  test.each([
    ["the seed alone", seed],
    ["seed and public key", Buffer.concat([seed, publicBytes])],
  ])("node:crypto takes what we sign with %s", async (_, bytes) => {
    for (const body of BODIES) {
      const keys = [parseSigningKey(`whsk_${bytes.toString("base64")}`, [])];
      const { "webhook-signature": text } = await signDelivery({ id: "dlv_1", timestampSeconds: NOW, body, keys });
      const content = Buffer.from(`dlv_1.${NOW}.${body}`);
      const signature = Buffer.from(text.slice("v1a,".length), "base64");
      expect(verifyEd25519(null, content, createPublicKey(privateKey), signature)).toBe(true);
      expect(signature.equals(sign(null, content, privateKey))).toBe(true);
    }
  });

  test("we take what node:crypto signs, and nothing it signs with another key", async () => {
    const source = readEndpoints({ ...ENV, ASYMMETRIC_PUBLIC: whpk }).sources.get("asymmetric")!;
    for (const body of BODIES)
      for (const [key, isGenuine] of [
        [privateKey, true],
        [generateKeyPairSync("ed25519").privateKey, false],
      ] as const) {
        const signature = sign(null, Buffer.from(`msg_1.${NOW}.${body}`), key).toString("base64");
        const headers = { "webhook-id": "msg_1", "webhook-timestamp": `${NOW}`, "webhook-signature": `v1a,${signature}` };
        const verdict = await verify(source, { headers: new Headers(headers) }, new TextEncoder().encode(body), NOW);
        expect(verdict.ok, body).toBe(isGenuine);
      }
  });
});
