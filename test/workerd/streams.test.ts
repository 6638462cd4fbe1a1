// Streams on workerd's own Durable Objects: what only the platform does.
import { evictAllDurableObjects, listDurableObjectIds, runDurableObjectAlarm, runInDurableObject } from "cloudflare:test";
import { env, exports } from "cloudflare:workers";
import { describe, expect, test } from "vitest";
import artifact from "../../edge/model.safetensors";
import { shardOf } from "../../edge/streams/directory.ts";
import { decodeArtifact } from "../../shared/artifact.ts";

const { recipe, golden } = decodeArtifact(new Uint8Array(artifact));
const { timesteps: T } = recipe;
const F = recipe.features.length;
const KEY = { authorization: "Bearer test-key-score-read", "content-type": "application/json" };
const ADMIN = { authorization: "Bearer test-key-admin" };
const ask = (path: string, init: RequestInit = {}) => exports.default.fetch(`https://edge.test${path}`, { headers: KEY, ...init });
const send = (key: string, body: unknown) =>
  ask(`/v1/streams/${encodeURIComponent(key)}/events`, { method: "POST", body: JSON.stringify(body) });
const stubOf = (key: string) => env.STREAMS!.get(env.STREAMS!.idFromName(key));

/** A golden vector of full length, row by row. */
const k = golden.probabilities.length - 3;
const rows = Array.from({ length: T }, (_, t) => [...golden.inputs.subarray((k * T + t) * F, (k * T + t + 1) * F)]);
const events = rows.map((values, t) => ({ id: `e${t}`, timestamp: 1_700_000_000 + t, values }));

describe("a stream", () => {
  test("scores a golden vector, sent row by row, with the trainer's bits", async () => {
    let last: Record<string, unknown> = {};
    for (const event of events) {
      const response = await send("golden", event);
      expect(response.status, await response.clone().text()).toBe(200);
      last = await response.json();
    }
    expect(last).toMatchObject({ seq: T, filled: T, probability: golden.probabilities[k] });
  });

  test("lives on when its object is evicted", async () => {
    await send("evicted", { events: events.slice(0, 4) });
    const before = await (await ask("/v1/streams/evicted")).json();
    await evictAllDurableObjects();
    expect(await (await ask("/v1/streams/evicted")).json()).toEqual(before);
    const again = await (await send("evicted", events[2])).json();
    expect(again).toMatchObject({ seq: 3 });
  });

  test("takes one id once, however many send it at the same time", async () => {
    const answers = await Promise.all(Array.from({ length: 40 }, async (_, i) => (await send("crowd", events[i % 4])).text()));
    expect(new Set(answers).size).toBe(4);
    const { seq } = await (await ask("/v1/streams/crowd")).json<{ seq: number }>();
    expect(seq).toBe(4);
  });
});
