// The webhook examples of docs/examples, run from their files: the configuration as wrangler reads it, each sender's event, the shell
// script, and the receivers.
import { spawn, spawnSync } from "node:child_process";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { createServer, type RequestListener } from "node:http";
import type { AddressInfo } from "node:net";
import { fileURLToPath } from "node:url";
import { sign as signGithub } from "@octokit/webhooks-methods";
import type { Hono } from "hono";
import Stripe from "stripe";
import { afterAll, afterEach, describe, expect, test, vi } from "vitest";
import { unstable_readConfig } from "wrangler";
import { signDelivery } from "../../../edge/deliveries/signing.ts";
import { readEndpoints } from "../../../edge/streams/endpoints.ts";
import type { StreamEvent } from "../../../edge/webhooks/event.ts";
import { parseSigningKey } from "../../../edge/webhooks/signatures/keys.ts";
import { encodeArtifact } from "../../../shared/artifact/artifact.ts";
import { openApp } from "../../fixtures/app.ts";
import { kernel } from "../../fixtures/kernel.ts";
import { makeModel } from "../../fixtures/model.ts";
import { fakeStreams, SECRETS as KEYS } from "../../fixtures/senders.ts";

const root = new URL("../../../", import.meta.url);
const examples = fileURLToPath(new URL("docs/examples/", root));
const exampleOf = (name: string): string => readFileSync(`${examples}${name}`, "utf8");

const folder = fileURLToPath(new URL("out/recipes/", root));
mkdirSync(folder, { recursive: true });
/** What wrangler makes of the tables of webhooks.toml. */
function readVars(): Record<string, unknown> {
  const config = `${folder}wrangler.toml`;
  writeFileSync(config, `name = "recipes"\ncompatibility_date = "2026-11-01"\n${exampleOf("webhooks.toml")}`);
  return unstable_readConfig({ config }, { hideWarnings: true }).vars;
}

const SECRETS = {
  TRADINGVIEW_TOKEN: "a token nobody guesses",
  STRIPE_SIGNING_SECRET: "whsec_what Stripe shows",
  GITHUB_SECRET: "what GitHub was told",
  PUMPS_SECRET: "what the pumps know",
  DESK_SECRET: KEYS.STANDARD,
};
const endpoints = readEndpoints({ ...readVars(), ...SECRETS });
const taken: { key: string; event: StreamEvent }[] = [];
const app = openApp(kernel, encodeArtifact(makeModel(kernel, { name: "fx" })), {
  endpoints,
  streams: fakeStreams((key, event) => taken.push({ key, event })),
});
const post = (path: string, body: string, headers: Record<string, string>) =>
  app.request(`https://edge.example.com${path}`, { method: "POST", body, headers });
afterEach(() => {
  taken.length = 0;
});

describe("the example sources", () => {
  test("are configured without a fault, and say where results go", () => {
    expect(endpoints.unusable).toBeUndefined();
    expect([...endpoints.sources.keys()]).toEqual(["tradingview", "stripe", "github", "pumps"]);
    for (const { destinations } of endpoints.sources.values()) expect(destinations).toEqual(["desk"]);
  });

  test("TradingView: the alert's message, filled in as TradingView does, is one bar; the same alert again is the same event", async () => {
    const message = exampleOf("tradingview-alert.txt");
    const filled: Record<string, string> = {
      ticker: "NQ1!",
      time: "2026-11-25T09:30:00Z",
      open: "21010.25",
      high: "21020",
      low: "21000.5",
      close: "21015",
      volume: "1234",
    };
    const body = message
      .trim()
      .replace("YOUR TOKEN", SECRETS.TRADINGVIEW_TOKEN)
      .replace(/\{\{(\w+)\}\}/g, (_, name: string) => filled[name]);
    const headers = { "content-type": "text/plain; charset=utf-8", "cf-connecting-ip": "54.218.53.128" };
    for (let i = 0; i < 2; i++) expect((await post("/hooks/tradingview", body, headers)).status).toBe(200);
    const [first, second] = taken;
    expect(first).toMatchObject({ key: "NQ1!", event: { data: { values: [21010.25, 21020, 21000.5, 21015, 1234] } } });
    expect(second).toEqual(first);
    expect((await post("/hooks/tradingview", body, { ...headers, "cf-connecting-ip": "54.218.53.129" })).status).toBe(401);
  });

  test("Stripe: charge.succeeded is its customer's", async () => {
    const charge = {
      amount: 2000,
      amount_captured: 2000,
      amount_refunded: 0,
      created: 1795599000,
      customer: "cus_9",
      outcome: { risk_score: 12 },
    };
    const body = JSON.stringify({ id: "evt_3", object: "event", created: 1795599001, type: "charge.succeeded", data: { object: charge } });
    const stripe = new Stripe("sk_test_none");
    const signature = stripe.webhooks.generateTestHeaderString({ payload: body, secret: SECRETS.STRIPE_SIGNING_SECRET });
    expect((await post("/hooks/stripe", body, { "stripe-signature": signature })).status).toBe(200);
    expect(taken).toMatchObject([
      { key: "cus_9", event: { id: "evt_3", timestamp: 1795599001000, data: { values: [2000, 2000, 0, 12, 1795599000] } } },
    ]);
  });

  test("GitHub: pull_request is its repository's", async () => {
    const request = { updated_at: "2026-11-25T09:30:00Z", additions: 12, deletions: 3, changed_files: 2, commits: 1, comments: 0 };
    const body = JSON.stringify({ action: "synchronize", pull_request: request, repository: { full_name: "octocat/hello" } });
    const headers = { "x-hub-signature-256": await signGithub(SECRETS.GITHUB_SECRET, body), "x-github-event": "pull_request" };
    expect((await post("/hooks/github", body, headers)).status).toBe(200);
    expect(taken).toMatchObject([{ key: "octocat/hello", event: { data: { values: [12, 3, 2, 1, 0] } } }]);
  });

  test("anything else: the shell script, run by a shell", async () => {
    const server = createServer(async (request, response) => {
      const chunks: Buffer[] = [];
      for await (const chunk of request) chunks.push(chunk);
      const answer = await post(request.url!, Buffer.concat(chunks).toString(), request.headers as Record<string, string>);
      response.writeHead(answer.status).end(await answer.text());
    });
    await new Promise<void>((done) => server.listen(0, "127.0.0.1", done));
    const { port } = server.address() as AddressInfo;
    const env = { ...process.env, PUMPS_SECRET: SECRETS.PUMPS_SECRET, WORKER: `http://127.0.0.1:${port}` };
    const run = async (env: NodeJS.ProcessEnv, ...words: string[]) => {
      const shell = spawn("bash", [`${examples}send-signed.sh`, ...words], { env });
      let output = "";
      for (const stream of [shell.stdout, shell.stderr])
        stream.on("data", (text) => {
          output += text;
        });
      const status = await new Promise((done) => shell.on("close", done));
      return { status, output };
    };
    const values = [10.1, 10.4, 9.9, 10.2, 5100];
    const { output } = await run(env, "north-7", ...values.map(String));
    expect(JSON.parse(output)).toMatchObject({ key: "north-7", source: "pumps" });
    expect(taken).toMatchObject([{ key: "north-7", event: { data: { values } } }]);
    expect(await run(env)).toMatchObject({ status: 1, output: expect.stringContaining("a key is missing") });
    expect(await run({ ...env, PUMPS_SECRET: "" }, "north-7")).toMatchObject({
      output: expect.stringContaining("PUMPS_SECRET: is not set"),
    });
    expect(await run({ ...env, PUMPS_SECRET: "what others know" }, "north-7", "1")).toMatchObject({
      status: 22,
      output: expect.stringContaining("signature"),
    });
    server.close();
  });
});

const BODY = JSON.stringify({ type: "prediction.created", timestamp: "2026-11-25T09:30:00Z", data: { key: "ünï 📈", probability: 0.75 } });
const delivery = (secret: string, timestampSeconds = Math.floor(Date.now() / 1000)) =>
  signDelivery({ id: "dlv_1", timestampSeconds, body: BODY, keys: [parseSigningKey(secret, [])] });

const load = (name: string): Promise<Record<string, unknown>> => import(`${examples}${name}`);

/** What a receiver's own route answers to one delivery. */
type Send = (body: string, headers: Record<string, string>) => Promise<number>;

describe("the example receivers", () => {
  const log = vi.spyOn(console, "log").mockImplementation(() => {});
  vi.stubEnv("DESK_SECRET", SECRETS.DESK_SECRET);
  afterAll(() => {
    vi.restoreAllMocks();
    vi.unstubAllEnvs();
  });

  async function checkReceiver(send: Send): Promise<void> {
    log.mockClear();
    const deliver = async (body: string, at?: number) => send(body, await delivery(SECRETS.DESK_SECRET, at));
    const now = Math.floor(Date.now() / 1000);
    expect(await deliver(BODY, now - 5)).toBe(204);
    expect(await deliver(BODY, now)).toBe(204);
    expect(log.mock.calls).toEqual([[{ key: "ünï 📈", probability: 0.75 }]]);
    expect(await send(BODY.replace("0.75", "0.76"), await delivery(SECRETS.DESK_SECRET))).toBe(401);
    expect(await deliver(BODY, now - 301)).toBe(401);
  }

  test("Hono takes a delivery once, whatever attempts there are, and none that was tampered with", async () => {
    const { default: receiver } = (await load("receive-hono.mjs")) as { default: Hono };
    await checkReceiver(async (body, headers) => (await receiver.request("/in", { method: "POST", body, headers })).status);
  });

  test("Express takes a delivery once, whatever attempts there are, and none that was tampered with", async () => {
    const { default: receiver } = (await load("receive-express.mjs")) as { default: RequestListener };
    const server = createServer(receiver);
    await new Promise<void>((done) => server.listen(0, "127.0.0.1", done));
    const { port } = server.address() as AddressInfo;
    await checkReceiver(async (body, headers) => (await fetch(`http://127.0.0.1:${port}/in`, { method: "POST", body, headers })).status);
    server.close();
  });

  test("node:crypto takes v1a of the pair that the example for it makes", async () => {
    const { stdout } = spawnSync(process.execPath, [`${examples}make-ed25519-keys.mjs`], { encoding: "utf8" });
    const [whsk, whpk] = stdout.trim().split("\n");
    const { isGenuine } = (await load("verify-ed25519.mjs")) as { isGenuine: (...parameters: unknown[]) => boolean };
    const headers = await delivery(whsk);
    expect(isGenuine(whpk, headers, BODY)).toBe(true);
    expect(isGenuine(whpk, { ...headers, "webhook-signature": `v1,AAAA ${headers["webhook-signature"]}` }, BODY)).toBe(true);
    expect(isGenuine(whpk, headers, BODY.replace("0.75", "0.76"))).toBe(false);
    expect(isGenuine(whpk, { ...headers, "webhook-id": "dlv_2" }, BODY)).toBe(false);
    expect(isGenuine(KEYS.ASYMMETRIC_PUBLIC, headers, BODY)).toBe(false);
    expect(isGenuine(whpk, await delivery(whsk, Math.floor(Date.now() / 1000) - 301), BODY)).toBe(false);
  });
});
