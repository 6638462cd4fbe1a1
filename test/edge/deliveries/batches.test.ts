// `batch`: the answers of a key go out together, the same ones on every attempt. `ordered`: one after the other.
import { Webhook } from "standardwebhooks";
import { describe, expect, test, vi } from "vitest";
import { parseDestinations } from "../../../edge/deliveries/destinations.ts";
import { endpointsOf, openDestinations, SECRETS, type Sent, START, servableOf } from "../../fixtures/destinations.ts";

const URL = "https://a.example.com/";
const TO = { url: URL, secrets: ["DESK"] };
const BATCHED = { ...TO, batch: { rows: 3, seconds: 5 } };
const DAY_MS = 86_400_000;

type Opened = ReturnType<typeof openDestinations>;
async function sendMany({ send, streams }: Opened, count: number, key = "k"): Promise<void> {
  for (let i = 0; i < count; i++) await send([i + 1, 1], streams, key);
}
const listed = async ({ streams }: Opened, filter: object = { key: "k" }) =>
  (await streams.store.deliveries(filter, 200)).items.toReversed();
const seqsOf = ({ body }: Sent): number[] => JSON.parse(body).map((row: { data: { seq: number } }) => row.data.seq);
/** Of the bodies, parsed, that are no batch. */
const seqsAlone = (bodies: readonly unknown[]): number[] =>
  bodies.flatMap((body) => (Array.isArray(body) ? [] : [(body as { data: { seq: number } }).data.seq])).sort();
/** What one attempt sends beside another may come first. */
const inOrder = (sent: readonly Sent[]): number[][] => sent.map(seqsOf).sort(([a], [b]) => a - b);
const idOf = ({ headers }: Sent): string => headers["webhook-id"];

describe("a batch", () => {
  test("goes out when it is full, and else when its first row has waited", async () => {
    const to = openDestinations({ a: BATCHED });
    await sendMany(to, 7);
    await to.streams.advance(START + 1000);
    expect(inOrder(to.sent)).toEqual([
      [1, 2, 3],
      [4, 5, 6],
    ]);
    expect((await listed(to)).map(({ state, due }) => [state, due]).at(-1)).toEqual(["pending", START + 5000]);
    await to.send([1, 1]);
    await to.streams.advance(START + 4999);
    expect(to.sent).toHaveLength(2);
    await to.streams.advance(START + 5000);
    expect(seqsOf(to.sent[2])).toEqual([7, 8]);
    expect((await to.streams.store.totals()).pending).toBe(0);
  });

  test("of one row is an array, too; rows of other keys go out by themselves", async () => {
    const to = openDestinations({ a: BATCHED });
    await sendMany(to, 1);
    await sendMany(to, 1, "other");
    await to.streams.advance(START + 6000);
    expect(to.sent.map(({ body }) => JSON.parse(body).map(({ data }: { data: { key: string } }) => data.key)).sort()).toEqual([
      ["k"],
      ["other"],
    ]);
  });

  test("is signed as a whole under its first row's id, and each row has its own", async () => {
    const to = openDestinations({ a: BATCHED });
    await sendMany(to, 3);
    await to.streams.advance(START);
    const [{ body, headers }] = to.sent;
    expect(new Webhook(SECRETS.DESK).sign(headers["webhook-id"], new Date(START), body)).toBe(headers["webhook-signature"]);
    const rows = await listed(to);
    expect(JSON.parse(body).map(({ id }: { id: string }) => id)).toEqual(rows.map(({ id }) => id));
    expect(headers["webhook-id"]).toBe(rows[0].id);
    expect(rows.map(({ batch }) => batch)).toEqual(Array(3).fill(rows[0].id));
    expect(JSON.parse(body)[0]).toEqual({
      id: rows[0].id,
      type: "prediction.created",
      timestamp: expect.any(String),
      data: expect.any(Object),
    });
  });

  test("cut off in its first attempt is sent again as it was, under its id, whatever came meanwhile", async () => {
    const to = openDestinations({ a: { ...BATCHED, batch: { rows: 100, seconds: 5 } } });
    const cutOff: Sent[] = [];
    const whole = to.streams.fetch;
    to.streams.fetch = (url, init) => {
      cutOff.push({ url, headers: init.headers as Sent["headers"], body: init.body as string, at: to.streams.clock });
      return new Promise(() => {});
    };
    await sendMany(to, 4);
    to.streams.clock = START + 5000;
    void to.streams.objectOf("k").alarm(); // it is killed before this ends
    await vi.waitFor(() => expect(cutOff).toHaveLength(1));
    to.streams.fetch = whole;
    to.streams.restart();
    await sendMany(to, 3);
    await to.streams.rearm("k");
    await to.streams.advance(START + 20_000);
    expect(to.sent.map(seqsOf)).toEqual([
      [1, 2, 3, 4],
      [5, 6, 7],
    ]);
    expect([idOf(to.sent[0]), to.sent[0].body]).toEqual([idOf(cutOff[0]), cutOff[0].body]);
  });

  test("is retried, given up and replayed as a whole, by any of its rows", async () => {
    const to = openDestinations({ a: BATCHED }, servableOf(), { RETRY_SCHEDULE_S: "0 10" });
    to.answer(500);
    await sendMany(to, 3);
    await to.streams.advance(START + 1000);
    expect((await listed(to)).map(({ state, attempts, status, due }) => [state, attempts, status, due])).toEqual(
      Array(3).fill(["pending", 1, 500, START + 10_000]),
    );
    await to.streams.advance(START + 60_000);
    expect((await listed(to)).map(({ state, attempts }) => [state, attempts])).toEqual(Array(3).fill(["dead", 2]));
    expect(await to.streams.store.totals()).toMatchObject({ dead: 3 });
    to.answer(200);
    await sendMany(to, 2);
    const rows = await listed(to);
    expect(await to.streams.store.replay(rows[1].id)).toBe(true);
    await to.streams.advance(START + 120_000);
    expect(to.sent.map(seqsOf)).toEqual([
      [1, 2, 3],
      [1, 2, 3],
      [1, 2, 3],
      [4, 5],
    ]);
    expect(new Set(to.sent.slice(0, 3).map(idOf)).size).toBe(1);
    expect(new Set(to.sent.slice(0, 3).map(({ body }) => body)).size).toBe(1);
    expect(await to.streams.store.view("k")).toMatchObject({ deliveries: { pending: 0, delivered: 5, dead: 0, dropped: 0 } });
  });

  test("that met a 410 is dead with what waited; a replay of all counts rows, and sends what waited together", async () => {
    const to = openDestinations({ a: BATCHED });
    await sendMany(to, 4);
    to.answer(410);
    await to.streams.advance(START);
    await to.send([1, 1]);
    expect((await listed(to)).map(({ state }) => state)).toEqual(Array(5).fill("dead"));
    to.answer(200);
    expect(await to.streams.store.replayAll({ destination: "a" })).toMatchObject({ replayed: 5 });
    await to.streams.advance(START + 1000);
    expect(inOrder(to.sent.slice(1))).toEqual([
      [1, 2, 3],
      [4, 5],
    ]);
    expect((await to.streams.store.totals()).pending).toBe(0);
  });

  test("is replayed whole where the filter of a replay holds for one of its rows", async () => {
    const to = openDestinations({ a: BATCHED }, servableOf(), { RETRY_SCHEDULE_S: "0" });
    to.answer(500);
    await sendMany(to, 2);
    to.streams.clock += 1000;
    await sendMany(to, 1);
    await to.streams.advance(START + 60_000);
    expect((await listed(to)).map(({ state }) => state)).toEqual(Array(3).fill("dead"));
    to.answer(200);
    expect(await to.streams.store.replayAll({ destination: "a", since: START + 1000 })).toMatchObject({ replayed: 3 });
    await to.streams.advance(START + 120_000);
    expect(to.sent.map(seqsOf)).toEqual(Array(2).fill([1, 2, 3]));
    const whole = await to.streams.store.delivery((await listed(to))[2].id);
    expect(whole).toMatchObject({ batch: idOf(to.sent[0]), history: [{ status: 500 }, { status: 200 }], ms: expect.any(Number) });
  });

  test("is not waited for by what only tries the destination", async () => {
    const to = openDestinations({ a: BATCHED });
    const ids = await to.streams.store.announce("quickstep:test", { a: '{"type":"destination.test"}' }, true);
    await to.streams.advance(START);
    expect(to.sent.map(({ body }) => JSON.parse(body))).toEqual([[{ id: ids[0], type: "destination.test" }]]);
  });

  test("is dropped, expires and is forgotten as a whole", async () => {
    const to = openDestinations({ a: BATCHED }, servableOf(), { STREAM_OUTBOX_ROWS: "7", RETRY_SCHEDULE_S: "0 5" });
    to.answer(500);
    await sendMany(to, 6);
    await to.streams.advance(START + 60_000); // two dead batches
    to.answer(200);
    await sendMany(to, 2); // one row too many: the oldest batch goes
    expect((await listed(to)).map(({ seq }) => seq)).toEqual([4, 5, 6, 7, 8]);
    await to.streams.advance(START + 31 * DAY_MS);
    expect(await to.streams.store.totals()).toMatchObject({ pending: 0, delivered: 2, dead: 0, dropped: 6 });
    expect(await listed(to)).toEqual([]);
  });

  test("beyond the newest 100 delivered rows is kept or forgotten whole", async () => {
    const to = openDestinations({ a: BATCHED });
    await sendMany(to, 3 * 35);
    await to.streams.advance(START + 60_000);
    const seqs = (await listed(to)).map(({ seq }) => seq);
    expect(seqs[0] % 3).toBe(1);
    expect(seqs.length).toBeGreaterThanOrEqual(99);
    expect(seqs.length).toBeLessThan(105);
  });

  test("has as many rows as fit in a million characters", async () => {
    const template = JSON.stringify({ seq: "{seq}", filler: "x".repeat(16_000) });
    const to = openDestinations({ a: { ...TO, body: template, batch: { rows: 1000, seconds: 5 } } });
    await sendMany(to, 100);
    await to.streams.advance(START + 5000);
    const batches = to.sent.map(({ body }) => JSON.parse(body).map(({ seq }: { seq: number }) => seq));
    expect(batches.flat().sort((a, b) => a - b)).toEqual(Array.from({ length: 100 }, (_, i) => i + 1));
    expect(batches.length).toBe(2);
    for (const { body } of to.sent) expect(body.length).toBeLessThan(1_001_000);
  });

  test("of CloudEvents is CloudEvents' own batch; of a template, an array of it", async () => {
    const to = openDestinations({
      a: { ...BATCHED, body: "cloudevents" },
      b: { ...BATCHED, url: "https://b.example.com/", body: '{"p":"{probability}","n":"{seq}"}' },
    });
    await sendMany(to, 3);
    await to.streams.advance(START);
    const [a, b] = [URL, "https://b.example.com/"].map((url) => to.sent.find((one) => one.url === url)!);
    expect(a.headers["content-type"]).toBe("application/cloudevents-batch+json");
    const [event] = JSON.parse(a.body);
    expect(event).toMatchObject({ specversion: "1.0", id: expect.stringMatching(/^[0-9a-f]{8}-1$/), webhookid: idOf(a), data: { seq: 1 } });
    expect(b.headers["content-type"]).toBe("application/json");
    expect(JSON.parse(b.body)).toEqual([1, 2, 3].map((n) => ({ p: expect.any(Number), n })));
  });

  test("that was closed stays one when the configuration takes none any more; what waited goes out by itself", async () => {
    const to = openDestinations({ a: BATCHED });
    to.answer(500);
    await sendMany(to, 3);
    await to.streams.advance(START);
    await sendMany(to, 1);
    to.streams.restart(servableOf(), endpointsOf({ a: TO }));
    to.answer(200);
    await to.streams.advance(START + 60_000);
    expect(to.sent.slice(0, 2).map(seqsOf)).toEqual([
      [1, 2, 3],
      [1, 2, 3],
    ]);
    expect(JSON.parse(to.sent[2].body)).toMatchObject({ type: "prediction.created", data: { seq: 4 } });
  });

  test("takes nothing in that may have gone out by itself before", async () => {
    const to = openDestinations({ a: TO });
    to.answer(500);
    await sendMany(to, 2);
    await to.streams.advance(START);
    to.streams.restart(servableOf(), endpointsOf({ a: BATCHED }));
    to.answer(200);
    await sendMany(to, 3);
    await to.streams.advance(START + 60_000);
    const bodies = to.sent.slice(2).map(({ body }) => JSON.parse(body));
    expect(bodies.filter(Array.isArray).map((rows) => rows.map(({ data }: { data: { seq: number } }) => data.seq))).toEqual([[3, 4, 5]]);
    expect(seqsAlone(bodies)).toEqual([1, 2]);
  });
});

describe("an ordered destination", () => {
  const ORDERED = { ...TO, ordered: true };
  const takenSeqs = (sent: readonly Sent[]): number[] => sent.map(({ body }) => JSON.parse(body).data.seq);

  test("gets the next row of a key when the one before is delivered; other keys go on", async () => {
    const to = openDestinations({ a: ORDERED });
    let refusals = 2;
    to.answer((_, body) => (JSON.parse(body).data.key === "k" && refusals-- > 0 ? 500 : 200));
    await sendMany(to, 3);
    await to.streams.advance(START + 1000);
    await sendMany(to, 2, "other");
    await to.streams.advance(START + 2000);
    expect(to.sent.map(({ body }) => JSON.parse(body).data).map(({ key, seq }) => `${key} ${seq}`)).toEqual(["k 1", "other 1", "other 2"]);
    await to.streams.advance(START + 400_000);
    expect(takenSeqs(to.sent.filter(({ body }) => JSON.parse(body).data.key === "k"))).toEqual([1, 1, 1, 2, 3]);
  });

  test("is never sent two rows of a key at once", async () => {
    const to = openDestinations({ a: ORDERED, b: { ...TO, url: "https://b.example.com/" } });
    const inFlight = { a: 0, b: 0 };
    const most = { a: 0, b: 0 };
    to.streams.fetch = async (url) => {
      const name = url === URL ? "a" : "b";
      inFlight[name]++;
      most[name] = Math.max(most[name], inFlight[name]);
      await new Promise((done) => setTimeout(done, 1));
      inFlight[name]--;
      return new Response();
    };
    await sendMany(to, 12);
    await to.streams.advance(START + 1000);
    expect(most.a).toBe(1);
    expect(most.b).toBeGreaterThan(1); // which is not ordered
  });

  test("gets the next row when the one before is given up, and a replay before what is newer", async () => {
    const to = openDestinations({ a: ORDERED }, servableOf(), { RETRY_SCHEDULE_S: "0 10" });
    to.answer((_, body) => (JSON.parse(body).data.seq === 1 ? 500 : 200));
    await sendMany(to, 3);
    await to.streams.advance(START + 9000);
    expect(takenSeqs(to.sent)).toEqual([1]);
    await to.streams.advance(START + 60_000);
    expect(takenSeqs(to.sent)).toEqual([1, 1, 2, 3]);
    const [dead] = await listed(to, { state: "dead" });
    to.answer(200);
    await sendMany(to, 1);
    await to.streams.store.replay(dead.id);
    await to.streams.advance(START + 70_000);
    expect(takenSeqs(to.sent).slice(4)).toEqual([1, 4]);
  });

  test("gets its batches one after the other", async () => {
    const to = openDestinations({ a: { ...BATCHED, ordered: true } });
    let refusals = 1;
    to.answer(() => (refusals-- > 0 ? 500 : 200));
    await sendMany(to, 8);
    await to.streams.advance(START + 60_000);
    expect(to.sent.map(seqsOf)).toEqual([
      [1, 2, 3],
      [1, 2, 3],
      [4, 5, 6],
      [7, 8],
    ]);
  });

  test("sends what a kill cut off before what is newer", async () => {
    const to = openDestinations({ a: ORDERED });
    const whole = to.streams.fetch;
    const cutOff: unknown[] = [];
    to.streams.fetch = (_, { body }) => {
      cutOff.push(body);
      return new Promise(() => {});
    };
    await sendMany(to, 2);
    void to.streams.objectOf("k").alarm();
    await vi.waitFor(() => expect(cutOff).toHaveLength(1));
    to.streams.fetch = whole;
    to.streams.restart();
    await to.streams.rearm("k");
    await to.streams.advance(START + 60_000);
    expect(takenSeqs(to.sent)).toEqual([1, 2]);
  });
});

test("an outbox of version 6 is brought up to date, and its rows go out by themselves", async () => {
  const to = openDestinations({ a: TO });
  await sendMany(to, 2);
  const { streams } = to;
  streams.run(
    "k",
    "DROP INDEX outbox_by_head; DROP INDEX outbox_waiting; ALTER TABLE outbox DROP COLUMN head; UPDATE storage SET version = 6",
  );
  const columns = () => streams.query("k", "SELECT name FROM pragma_table_info('outbox')").map(({ name }) => name);
  expect(columns().slice(-4)).toEqual(["body", "dueSet", "hops", "trace"]);
  streams.restart(servableOf(), endpointsOf({ a: BATCHED }));
  await sendMany(to, 3);
  expect(columns().slice(-2)).toEqual(["trace", "head"]);
  await streams.advance(START + 60_000);
  const bodies = to.sent.map(({ body }) => JSON.parse(body));
  expect(seqsAlone(bodies)).toEqual([1, 2]);
  expect(bodies.filter(Array.isArray).map((rows) => rows.length)).toEqual([3]);
});

test.each<[object, string]>([
  [{ batch: { rows: 0, seconds: 5 } }, "d.batch.rows must be 1 to 1000, got 0"],
  [{ batch: { rows: 1.5, seconds: 5 } }, "d.batch.rows must be 1 to 1000, got 1.5"],
  [{ batch: { rows: 1001, seconds: 5 } }, "d.batch.rows must be 1 to 1000, got 1001"],
  [{ batch: { seconds: 5 } }, "d.batch.rows must be 1 to 1000"],
  [{ batch: { rows: 100 } }, "d.batch.seconds must be 0 to 3600"],
  [{ batch: { rows: 100, seconds: 3601 } }, "d.batch.seconds must be 0 to 3600, got 3601"],
  [{ batch: { rows: 100, seconds: 5, bytes: 1 } }, "d.batch must have no keys but rows, seconds, got"],
  [{ batch: 100 }, "d.batch must be"],
  [
    { batch: { rows: 100, seconds: 5 }, body: "slack" },
    'd.batch must be left out, since a chat takes one message at a time, got body = "slack"',
  ],
  [{ ordered: "yes" }, 'd.ordered must be true or false, got "yes"'],
])("%j cannot be configured", (table, sentence) => {
  const secretOf = (name: string) => (SECRETS as Record<string, string>)[name];
  expect(() => parseDestinations({ d: { ...TO, ...table } }, secretOf, false)).toThrow(`DESTINATIONS.${sentence}`);
});
