// Senders sign with their own libraries what the Worker takes in, and receivers verify with theirs what the Worker delivers.
import { Webhooks } from "@octokit/webhooks";
import * as standardwebhooks from "standardwebhooks";
import Stripe from "stripe";
import * as svix from "svix";
import { beforeEach, expect, test } from "vitest";
import { signDelivery } from "../../../edge/deliveries/signing.ts";
import { readEndpoints } from "../../../edge/streams/endpoints.ts";
import type { StreamEvent } from "../../../edge/webhooks/event.ts";
import { parseSigningKey } from "../../../edge/webhooks/signatures/keys.ts";
import { encodeArtifact } from "../../../shared/artifact/artifact.ts";
import { openApp } from "../../fixtures/app.ts";
import { kernel } from "../../fixtures/kernel.ts";
import { makeModel } from "../../fixtures/model.ts";
import { BODY, ENV, fakeStreams, SECRETS } from "../../fixtures/senders.ts";
import { describeOutside } from "../environment.ts";

/** Now: the libraries read the clock themselves. */
const AT = Math.floor(Date.now() / 1000);
const WHEN = new Date(AT * 1000);
const EVENT = JSON.stringify({ ...JSON.parse(BODY), time: WHEN.toISOString() });
const DELIVERED = `{"type":"prediction.created","timestamp":"${WHEN.toISOString()}","data":{"key":"EUR/USD – ünïcödé 📈","probability":0.83}}`;

const accepted: StreamEvent[] = [];
const app = openApp(kernel, encodeArtifact(makeModel(kernel)), {
  endpoints: readEndpoints(ENV),
  streams: fakeStreams((_, event) => accepted.push(event)),
});
beforeEach(() => {
  accepted.length = 0;
});

async function send(source: string, body: string, headers: Record<string, string>): Promise<number> {
  const response = await app.request(`https://edge.test/hooks/${source}`, {
    method: "POST",
    body: new TextEncoder().encode(body),
    headers,
  });
  return response.status;
}

/** What is signed is taken in once, and is refused where one byte of the body is another. */
async function expectTaken(source: string, headers: Record<string, string>): Promise<void> {
  expect(await send(source, EVENT, headers)).toBe(200);
  expect(accepted).toMatchObject([{ timestamp: WHEN.getTime(), data: { values: [1.25, 0.75, 1.25, 0.75, 1.25] } }]);
  expect(await send(source, EVENT.replace("0.75", "0.76"), headers)).toBe(401);
  expect(accepted).toHaveLength(1);
}

const delivery = async (name: "STANDARD" | "STANDARD_NEXT", at = AT) => ({
  body: DELIVERED,
  headers: await signDelivery({ id: "msg_1", timestampSeconds: at, body: DELIVERED, keys: [parseSigningKey(SECRETS[name], [])] }),
});

const standardHeaders = (prefix: string, signature: string): Record<string, string> => ({
  [`${prefix}-id`]: "msg_1",
  [`${prefix}-timestamp`]: `${AT}`,
  [`${prefix}-signature`]: signature,
});

test("Node: svix, standardwebhooks, stripe and @octokit/webhooks sign, and the Worker takes it in", async () => {
  const signatures = {
    svix: new svix.Webhook(SECRETS.STANDARD).sign("msg_1", WHEN, EVENT),
    webhook: new standardwebhooks.Webhook(SECRETS.STANDARD).sign("msg_1", WHEN, EVENT),
  };
  for (const [prefix, signature] of Object.entries(signatures)) {
    await expectTaken("standard", standardHeaders(prefix, signature));
    accepted.length = 0;
  }
  const header = await new Stripe("sk_test_none").webhooks.generateTestHeaderStringAsync({ payload: EVENT, secret: SECRETS.STRIPE });
  await expectTaken("stripe", { "stripe-signature": header });
  accepted.length = 0;
  await expectTaken("github", { "x-hub-signature-256": await new Webhooks({ secret: SECRETS.GITHUB }).sign(EVENT) });
});

test.each([
  ["svix", svix.Webhook],
  ["standardwebhooks", standardwebhooks.Webhook],
])("Node: %s verifies what the Worker delivers, and refuses another body, another secret and an old timestamp", async (_, Webhook) => {
  const receiver = new Webhook(SECRETS.STANDARD);
  const { body, headers } = await delivery("STANDARD");
  expect(() => receiver.verify(body, headers)).not.toThrow(); // svix 2 gives nothing back, standardwebhooks the event
  expect(() => receiver.verify(body.replace("0.83", "0.84"), headers)).toThrow(/signature/);
  const [other, old] = [await delivery("STANDARD_NEXT"), await delivery("STANDARD", AT - 3600)];
  expect(() => receiver.verify(body, other.headers)).toThrow(/signature/);
  expect(() => receiver.verify(body, old.headers)).toThrow(/too old/);
});

describeOutside("webhooks", (python) => {
  test("Python: svix, standardwebhooks and stripe sign, and the Worker takes it in", async () => {
    const secrets = { standard: SECRETS.STANDARD, stripe: SECRETS.STRIPE };
    const signed = JSON.parse(await python.run("sign.py", [], { body: EVENT, at: AT, secrets }));
    expect(Object.keys(signed)).toEqual(["svix", "standardwebhooks", "stripe"]);
    for (const [library, headers] of Object.entries<Record<string, string>>(signed)) {
      await expectTaken(library === "stripe" ? "stripe" : "standard", headers);
      accepted.length = 0;
    }
  });

  test("Python: svix and standardwebhooks verify what the Worker delivers, and refuse another body, another secret and an old timestamp", async () => {
    const genuine = await delivery("STANDARD");
    const deliveries = [
      genuine,
      { ...genuine, body: DELIVERED.replace("0.83", "0.84") },
      await delivery("STANDARD_NEXT"),
      await delivery("STANDARD", AT - 3600),
    ];
    const verdicts = JSON.parse(await python.run("verify.py", [], { secret: SECRETS.STANDARD, deliveries }));
    const expected = ["verified", ...Array(3).fill("WebhookVerificationError")];
    expect(verdicts).toEqual({ svix: expected, standardwebhooks: expected });
  });
});
