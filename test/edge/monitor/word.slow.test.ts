// drift.detected and performance.changed from requests to a receiver, under a real `wrangler dev` with everything of the monitor bound: each
// comes once, signed, rendered for its destination. A bound dataset of Analytics Engine costs no error.
import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import { Webhook } from "standardwebhooks";
import { expect, test } from "vitest";
import { openConfiguredDev } from "../../studies/configured-wrangler-dev.ts";

const SECRET = `whsec_${Buffer.alloc(24, 7).toString("base64")}`;
const TABLES = `
${["METRICS", "DRIFT", "OUTCOMES"].map((name) => `[[durable_objects.bindings]]\nname = "${name}"\nclass_name = "${name[0]}${name.slice(1).toLowerCase()}"`).join("\n")}
[[analytics_engine_datasets]]
binding = "ANALYTICS"
dataset = "quickstep"
`;
const TIMEOUT_MS = 300_000;

interface Word {
  readonly type: string;
  readonly path: string;
  readonly body: Record<string, unknown>;
}

/** Verifies each delivery, and answers 204; what does not verify is a 400. */
async function openReceiver() {
  const taken: Word[] = [];
  const refused: string[] = [];
  const server = createServer(async (request, response) => {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk);
    const text = Buffer.concat(chunks).toString();
    try {
      const body = new Webhook(SECRET).verify(text, request.headers as Record<string, string>) as Word["body"];
      taken.push({ type: String(body.type), path: request.url!, body });
      response.writeHead(204).end();
    } catch (error) {
      refused.push(`${error} ${text}`);
      response.writeHead(400).end();
    }
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return { port: (server.address() as AddressInfo).port, taken, refused, close: () => server.close() };
}

test("each is delivered once, to each destination, and verifies", { timeout: TIMEOUT_MS }, async () => {
  const receiver = await openReceiver();
  const at = (path: string) => ({ url: `http://127.0.0.1:${receiver.port}/${path}`, secrets: ["DESK_SECRET"] });
  const dev = await openConfiguredDev(TABLES, {
    AUTH: "open",
    DESK_SECRET: SECRET,
    DESTINATIONS: JSON.stringify({ plain: at("plain"), events: { ...at("events"), body: "cloudevents" } }),
    MONITOR_DESTINATIONS: "plain events",
  });
  const statuses = new Map<number, number>();
  const call = async (path: string, body?: object) => {
    const init = body && { method: "POST", headers: { "content-type": "application/json" }, body: JSON.stringify(body) };
    const response = await fetch(`http://127.0.0.1:${dev.port}${path}`, init);
    statuses.set(response.status, (statuses.get(response.status) ?? 0) + 1);
    return response.json() as Promise<Record<string, never>>;
  };
  try {
    const card = (await call("/v1/model")) as unknown as { name: string; timesteps: number; features: unknown[] };
    const row = Array.from(card.features, (_, f) => 1e6 + f); // of nothing that training saw
    const sequences = Array.from({ length: 100 }, () => Array.from({ length: card.timesteps }, () => row));
    const scoreSome = async () => {
      for (let n = 0; n < 40; n++) await call("/v1/score", { sequence: sequences[0] });
      const { results } = (await call("/v1/score", { sequences, remember: true })) as unknown as {
        results: { prediction: string; probability: number }[];
      };
      return results.map(({ prediction, probability }) => ({ prediction, label: probability < 0.5 ? 1 : 0 })); // never what was said
    };
    const outcomes: object[] = [];
    const types = () => receiver.taken.map(({ type, path }) => `${path} ${type}`).sort();
    const expected = ["/events", "/plain"].flatMap((path) => [`${path} drift.detected`, `${path} performance.changed`]);
    for (let turn = 0; turn < 20 && types().length < expected.length; turn++) {
      outcomes.push(...(await scoreSome()));
      await call("/v1/outcomes", { outcomes: outcomes.splice(0) });
      await sleep(6000); // what was gathered leaves after 5 s
    }
    expect(types()).toEqual(expected);
    for (let more = 0; more < 2; more++) {
      await call("/v1/outcomes", { outcomes: await scoreSome() });
      await sleep(6000);
    }
    expect(types()).toEqual(expected);
    expect(receiver.refused).toEqual([]);
    const { model } = (await call(`/v1/models/${card.name}/drift`)) as unknown as { model: string };
    const [event, plain] = ["/events", "/plain"].map(
      (of) => receiver.taken.find(({ path, type }) => path === of && type === "drift.detected")!,
    );
    expect(plain.body.data).toMatchObject({ model, alarmAfter: expect.any(Number) });
    expect(event.body).toMatchObject({ specversion: "1.0", subject: `quickstep:model:${card.name}`, data: plain.body.data });
    expect([...statuses.keys()]).toEqual([200]);
  } finally {
    await dev.close();
    receiver.close();
  }
});
