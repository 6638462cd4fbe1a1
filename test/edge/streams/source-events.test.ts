// What came of each source's webhooks: gathered while answering, kept by the hour and by the last few, shown in the metrics.
import { DatabaseSync } from "node:sqlite";
import { describe, expect, test } from "vitest";
import type { Sql } from "../../../edge/deliveries/sql.ts";
import type { RequestRecord } from "../../../edge/http/request-context.ts";
import { addTally, type SourceTally, viewSources, watchSources } from "../../../edge/streams/source-events.ts";
import { contextOf } from "../../fixtures/streams.ts";

const HOUR = 3_600_000;
const START = Date.UTC(2026, 0, 31, 12);
const record = (more: Partial<RequestRecord>): RequestRecord => ({
  ...{ id: "1", method: "POST", route: "/hooks/:source", status: 200, model: "", version: "", durationMs: 0 },
  source: "alerts",
  ...more,
});

function open() {
  const sent: [string, SourceTally][] = [];
  const sleeping: (() => void)[] = [];
  const flushes: Promise<void>[] = [];
  const node = { now: START, fails: false };
  const hear = watchSources({
    send: async (source, tally) => {
      if (node.fails) throw new Error("away");
      sent.push([source, tally]);
    },
    waitUntil: (promise) => flushes.push(promise),
    sleep: () => new Promise((done) => sleeping.push(done)),
    now: () => node.now,
  });
  const flush = async () => {
    for (const wake of sleeping.splice(0)) wake();
    await Promise.all(flushes.splice(0));
  };
  return { hear, sent, flush, flushes, node };
}

describe("what one isolate gathers", () => {
  test("is counted by source and outcome, and sent once, after the answers", async () => {
    const { hear, sent, flush, flushes } = open();
    hear(record({ taken: 2, replayed: 1 }));
    hear(record({ taken: 0, late: 1 }));
    hear(record({ ignored: 1 }));
    hear(record({ status: 401, problem: "signature", refusal: "the signature is not that of the body" }));
    hear(record({ status: 422, problem: "sequence", pointer: "/bar/2" }));
    hear(record({ source: "results" })); // of outcomes: no events
    hear(record({ source: undefined }));
    expect([sent.length, flushes.length]).toEqual([0, 1]);
    await flush();
    const [alerts, results] = sent;
    expect(sent).toHaveLength(2);
    expect(alerts[1].counts).toEqual({ taken: 2, replayed: 1, late: 1, ignored: 1, refused: 2 });
    expect(alerts[1].last.filter(({ outcome }) => outcome === "refused").map(({ reason }) => reason)).toEqual([
      "the signature is not that of the body",
      "The body is not what the model takes /bar/2",
    ]);
    expect(results).toEqual(["results", { counts: { taken: 1 }, last: [{ at: START, outcome: "taken", reason: "" }] }]);
  });

  test("is bounded, whatever comes, and lost where it cannot be kept", async () => {
    const { hear, sent, flush, node } = open();
    for (let n = 0; n < 1000; n++) hear(record({ status: 401, problem: "signature", refusal: `${n}`.padEnd(500, "x") }));
    hear(record({}));
    await flush();
    const [[, { counts, last }]] = sent;
    expect(counts).toEqual({ refused: 1000, taken: 1 });
    expect(last.map(({ reason }) => reason.slice(0, 3))).toEqual(["995", "996", "997", "998", "999", ""]);
    expect(Math.max(...last.map(({ reason }) => reason.length))).toBe(200);
    node.fails = true;
    hear(record({}));
    await flush();
    node.fails = false;
    hear(record({}));
    await flush();
    expect(sent.map(([, tally]) => tally.counts.taken)).toEqual([1, 1]);
  });

  test("is sent though a flush died with its isolate's request", async () => {
    const { hear, flushes, node } = open();
    hear(record({}));
    node.now += 60_000;
    hear(record({}));
    expect(flushes).toHaveLength(2);
  });
});

describe("what a shard keeps", () => {
  const openSql = (): Sql => contextOf("shard", new DatabaseSync(":memory:"), () => {}).storage.sql;

  test("is nothing, and no table, before the first webhook", () => {
    const sql = openSql();
    expect(viewSources(sql, START)).toEqual([]);
    expect(sql.exec("SELECT * FROM sqlite_master").toArray()).toEqual([]);
  });

  test("is a count by the hour for a day, and the last five of each outcome", () => {
    const sql = openSql();
    const tally = (n: number, outcome: "taken" | "refused"): SourceTally => ({
      counts: { [outcome]: n },
      last: [{ at: START + n, outcome, reason: `${n}` }],
    });
    for (let n = 1; n <= 8; n++) addTally(sql, "alerts", tally(n, "refused"), START);
    addTally(sql, "alerts", tally(1, "taken"), START + HOUR);
    addTally(sql, "north", tally(3, "taken"), START + HOUR);
    const [alerts, north] = viewSources(sql, START + HOUR).sort((a, b) => (a.name < b.name ? -1 : 1));
    expect(alerts.hours).toEqual([
      { from: START, taken: 0, replayed: 0, late: 0, refused: 36, ignored: 0 },
      { from: START + HOUR, taken: 1, replayed: 0, late: 0, refused: 0, ignored: 0 },
    ]);
    expect(alerts.last.map(({ reason, outcome }) => outcome + reason)).toEqual([
      "refused8",
      "refused7",
      "refused6",
      "refused5",
      "refused4",
      "taken1",
    ]);
    expect(north.hours).toMatchObject([{ taken: 3 }]);
    addTally(sql, "north", tally(1, "taken"), START + 30 * HOUR);
    expect(sql.exec("SELECT DISTINCT hour FROM source_hours").toArray()).toHaveLength(1);
    expect(viewSources(sql, START + 30 * HOUR).find(({ name }) => name === "alerts")).toMatchObject({ hours: [], last: { length: 6 } });
  });
});
