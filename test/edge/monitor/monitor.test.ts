// The monitor under faults: objects that are away, calls that come twice, restarts, and word that cannot be sent. What only the platform
// does is tested on workerd.
import { describe, expect, test } from "vitest";
import type { ServedModel } from "../../../edge/models/models.ts";
import type { Scored } from "../../../edge/monitor/isolate-monitor.ts";
import { FLUSH_MS } from "../../../edge/monitor/isolate-monitor.ts";
import { noOutcomes, openWealth } from "../../../edge/monitor/performance.ts";
import { predictionsName, readPredictionId, writePredictionId } from "../../../edge/monitor/prediction-id.ts";
import { settleOutcomes } from "../../../edge/routes/outcome-places.ts";
import { eventPredictionId } from "../../../edge/streams/window.ts";
import { createWasmEngine, instantiateKernel } from "../../../shared/engine.ts";
import { computeInputs } from "../../../shared/model.ts";
import { createRandom } from "../../../trainer/statistics/random.ts";
import { kernel } from "../../fixtures/kernel.ts";
import { openMonitor } from "../../fixtures/monitor.ts";
import { drawSequences, makeWatchedModel } from "../../studies/drift/streams.ts";

const { log } = instantiateKernel(kernel);
const model = makeWatchedModel(kernel, 1000, 970_000);
const engine = createWasmEngine(kernel, model);
const scored: Scored = { id: "fx@0123456789ab", model, engine, log };
const T = 5;
const F = 3;
const DAY_MS = 86_400_000;
/** What the model says of these raw sequences, told to the monitor one by one, as requests tell it. */
function tell(node: ReturnType<typeof openMonitor>, values: Float64Array, apart = true): void {
  for (let n = 0; n < values.length / (T * F); n++) {
    const one = values.slice(n * T * F, (n + 1) * T * F);
    node.monitor.isolate.scored(scored, one, engine.probabilities(computeInputs(model, one, log, engine.series)), apart);
  }
}
const record = { id: "r", method: "POST", route: "/v1/score", status: 200, model: "0123456789ab", version: "0.1.0", durationMs: 1 };

describe("what an isolate gathers", () => {
  test("is taken away once, armed by the first of it, and again if that died with its request", async () => {
    const node = openMonitor(kernel);
    for (let i = 0; i < 10; i++) node.monitor.isolate.request(record);
    expect(node.armed).toHaveLength(1);
    node.clock += 31_000; // the platform gives what runs after an answer 30 s
    node.monitor.isolate.request(record);
    expect(node.armed).toHaveLength(2);
    await node.monitor.isolate.flush();
    expect((await node.monitor.counts()).requests).toEqual({ "POST /v1/score 200": 11 });
    node.monitor.isolate.request(record);
    expect(node.armed).toHaveLength(3);
    expect(FLUSH_MS).toBe(5000);
  });

  test("counts that did not arrive are sent with the next; samples and predictions that did not are lost, and counted", async () => {
    const node = openMonitor(kernel);
    node.monitor.isolate.request(record);
    tell(node, drawSequences(3, createRandom(1)));
    const ids = node.monitor.remember(scored.id, Float32Array.of(0.5, 0.25));
    expect(ids.every((id) => id !== null)).toBe(true);
    node.fails = true;
    await node.monitor.isolate.flush();
    expect(node.errors.length).toBeGreaterThanOrEqual(3);
    node.fails = false;
    await node.monitor.isolate.flush();
    const { requests, lost } = await node.monitor.counts();
    expect(requests).toEqual({ "POST /v1/score 200": 1 });
    expect(lost).toEqual({ samples: 3, predictions: 2 });
  });

  test("of sequences is at most 32 between two flushes, one a request, none that shares rows", async () => {
    const node = openMonitor(kernel);
    tell(node, drawSequences(100, createRandom(2)));
    tell(node, drawSequences(5, createRandom(3)), false);
    await node.monitor.isolate.flush();
    expect((await node.monitor.drift(scored)).sequences).toBe(32);
    const many = drawSequences(50, createRandom(4));
    node.monitor.isolate.scored(scored, many, engine.probabilities(computeInputs(model, many, log, engine.series)), true);
    await node.monitor.isolate.flush();
    expect((await node.monitor.drift(scored)).sequences).toBe(33);
  });

  test("of predictions has an end: beyond it they are lost, which the answer says", () => {
    const node = openMonitor(kernel);
    const first = node.monitor.remember(scored.id, new Float32Array(10_000).fill(0.5));
    expect(first.includes(null)).toBe(false);
    expect(node.monitor.remember(scored.id, Float32Array.of(0.5))).toEqual([null]);
  });
});

describe("counts", () => {
  test("are written at most once a minute, and a restart keeps what was", async () => {
    const node = openMonitor(kernel);
    const count = async () => {
      node.monitor.isolate.request(record);
      await node.monitor.isolate.flush();
    };
    await count();
    node.clock += 10_000;
    await count();
    node.restart();
    expect((await node.monitor.counts()).requests).toEqual({ "POST /v1/score 200": 1 }); // the minute is what is lost
    node.clock += 60_000;
    await count();
    node.restart();
    expect((await node.monitor.counts()).requests).toEqual({ "POST /v1/score 200": 2 });
  });
});

describe("drift", () => {
  test("is told once, even if telling fails at first, and stays known through a restart", async () => {
    const node = openMonitor(kernel);
    node.announceFails = true;
    const values = drawSequences(640, createRandom(5)).map((x, i) => (i % F === 0 ? x + 2 : x));
    for (let n = 0; n < 20; n++) {
      tell(node, values.slice(n * 32 * T * F, (n + 1) * 32 * T * F));
      await node.monitor.isolate.flush();
      if (n === 15) node.announceFails = false;
      if (n === 17) node.restart();
    }
    expect(node.told.map(({ type, model }) => [type, model])).toEqual([["drift.detected", scored.id]]);
    const report = await node.monitor.drift(scored);
    expect(report).toMatchObject({ basis: "sequences", alarm: true, sequences: 640 });
    expect(report.quantities.slice(0, 2).map(({ name }) => name)).toContain("a");
    expect(node.told[0].data).toMatchObject({ alarmAfter: report.alarmAfter, model: scored.id });
  });

  test("is told once where calls come while that is sent", async () => {
    const node = openMonitor(kernel);
    node.announceMs = 20;
    const values = drawSequences(640, createRandom(5)).map((x, i) => (i % F === 0 ? x + 4 : x));
    const flushes: Promise<void>[] = [];
    for (let n = 0; n < 20; n++) {
      tell(node, values.slice(n * 32 * T * F, (n + 1) * 32 * T * F));
      flushes.push(node.monitor.isolate.flush());
    }
    await Promise.all(flushes);
    expect(node.told.map(({ type }) => type)).toEqual(["drift.detected"]);
  });

  test("what lies in the object are counts: no number of an input", async () => {
    const node = openMonitor(kernel);
    const values = drawSequences(20, createRandom(6));
    tell(node, values);
    await node.monitor.isolate.flush();
    const kept = JSON.stringify(node.query(`drift ${scored.id}`, "SELECT * FROM kept"));
    for (const value of values) expect(kept).not.toContain(String(value).slice(0, 8));
  });
});

describe("one artifact under two names", () => {
  const other = "other@0123456789ab";
  const fail = (error: Error) => {
    throw error;
  };
  /** What came true, as POST /v1/outcomes takes it; the default model is `fx`. */
  const settle = (node: ReturnType<typeof openMonitor>, ids: readonly (string | null)[], label: 0 | 1 = 1) => {
    const given = ids.map((id) => ({ prediction: id!, label }));
    return settleOutcomes(given, { id: scored.id } as ServedModel, node.monitor, undefined, fail);
  };

  test("has its outcomes under each name apart, whether they come before their predictions or after, in one request or several", async () => {
    const node = openMonitor(kernel);
    const [ours, theirs] = [scored.id, other].map((id) => node.monitor.remember(id, Float32Array.of(0.25, 0.5)));
    expect(await settle(node, [ours[0], theirs[0], theirs[1]])).toEqual(["waiting", "waiting", "waiting"]);
    await node.monitor.isolate.flush();
    expect(await settle(node, [ours[1], theirs[1]])).toEqual(["taken", "repeated"]);
    node.restart();
    const [one, two] = [await node.monitor.performance(scored.id), await node.monitor.performance(other)];
    expect(one).toMatchObject({ outcomes: 2, outcomesByState: { waiting: 1, taken: 1, repeated: 0 }, days: [{ outcomes: 2 }] });
    expect(two).toMatchObject({ outcomes: 2, outcomesByState: { waiting: 2, taken: 0, repeated: 1 } });
  });

  test("whose probabilities do not hold under a name that is not the default one's is told of by that name, and by it alone", async () => {
    const node = openMonitor(kernel);
    const random = createRandom(8);
    for (let n = 0; n < 100; n++) {
      const ids = node.monitor.remember(other, new Float32Array(20).fill(0.3));
      await node.monitor.isolate.flush();
      for (const id of ids) await settle(node, [id], random.uniform() < 0.9 ? 1 : 0);
    }
    expect(new Set(node.told.map(({ type, model, data }) => `${type} ${model} ${data.model}`))).toEqual(
      new Set([`performance.changed ${other} ${other}`]),
    );
    expect(await node.monitor.performance(other)).toMatchObject({ outcomes: 2000, changed: true });
    expect(await node.monitor.performance(scored.id)).toMatchObject({ outcomes: 0, changed: false, days: [] });
  });

  test("what is of before names were written down counts under each of them, its ids are taken, and bets go on where they stood", async () => {
    const node = openMonitor(kernel);
    const name = predictionsName(scored.id, 0);
    const at = node.clock;
    const idOf = (n: number) => `p0.0123456789ab.${at.toString(36)}.${n}`; // as ids were
    await node.predictionsOf(name).remember([1, 2].map((n) => ({ id: idOf(n), at, probability: 0.25 })));
    const day = { ...noOutcomes(), outcomes: 1, ones: 1, logLoss: Math.LN2 };
    const wealth = JSON.stringify(openWealth().map(() => 600));
    node.query(name, "DROP TABLE named_bets");
    node.query(name, `INSERT INTO days VALUES ('2026-01-31', '${JSON.stringify(day)}')`);
    node.query(name, "INSERT INTO outcome_counts VALUES ('taken', 1)");
    node.query(name, `INSERT INTO bets VALUES (1, '${wealth}', 0, 0)`);
    node.query(name, `UPDATE predictions SET label = 1 WHERE id = '${idOf(1)}'`);
    node.restart();
    for (const model of [scored.id, other])
      expect(await node.monitor.performance(model)).toMatchObject({ outcomes: 1, evidence: 600, outcomesByState: { taken: 1 } });
    expect(await settle(node, [idOf(1), idOf(2)])).toEqual(["repeated", "taken"]); // the default model's, since it is of that artifact
    expect(await node.monitor.performance(scored.id)).toMatchObject({ outcomes: 2, days: [{ day: "2026-01-31", outcomes: 2 }] });
    expect(await node.monitor.performance(other)).toMatchObject({ outcomes: 1, evidence: 600 });
    expect((await node.monitor.performance(scored.id)).evidence).not.toBe(600);
  });

  test("keeps 400 days of each name", async () => {
    const node = openMonitor(kernel, 1e12);
    for (const model of [scored.id, other]) {
      const outcomes = Array.from({ length: 401 }, (_, n) => ({
        id: `${model} ${n}`,
        label: 1 as const,
        at: node.clock - n * 86_400_000,
        probability: 0.5,
      }));
      await node.monitor.settle(predictionsName(model, 0), model, outcomes);
    }
    await node.predictionsOf(predictionsName(other, 0)).alarm();
    for (const model of [scored.id, other]) expect((await node.monitor.performance(model)).days).toHaveLength(400);
  });
});

describe("outcomes", () => {
  const settle = (node: ReturnType<typeof openMonitor>, id: string, label: 0 | 1) => {
    const { model, shard, at } = readPredictionId(id)!;
    return node.monitor.settle(predictionsName(model, shard), scored.id, [{ id, label, at }]);
  };

  test("before their predictions wait for them, and count when these come, once however often either comes", async () => {
    const node = openMonitor(kernel);
    const [id] = node.monitor.remember(scored.id, Float32Array.of(0.25));
    expect(await settle(node, id!, 1)).toEqual(["waiting"]);
    node.restart();
    await node.monitor.isolate.flush();
    const { model, shard, at } = readPredictionId(id!)!;
    await node.predictionsOf(predictionsName(model, shard)).remember([{ id: id!, at, probability: 0.25 }]);
    expect(await settle(node, id!, 1)).toEqual(["repeated"]);
    expect(await settle(node, id!, 0)).toEqual(["contradicting"]);
    const performance = await node.monitor.performance(scored.id);
    expect(performance).toMatchObject({ outcomes: 1, positiveRate: 1, outcomesByState: { waiting: 1, repeated: 1, contradicting: 1 } });
    expect(performance.logLoss!.value).toBeCloseTo(-Math.log(0.25), 6);
    expect(performance.days).toMatchObject([{ day: "2026-01-31", outcomes: 1 }]);
  });

  test("of predictions that are forgotten are late, whether their rows are gone or not; a clock that was set back forgets none", async () => {
    const node = openMonitor(kernel, 1000);
    const [old, young] = [node.monitor.remember(scored.id, Float32Array.of(0.5))[0]!, ""];
    expect(young).toBe("");
    await node.monitor.isolate.flush();
    node.clock += 2000;
    expect(await settle(node, old, 1)).toEqual(["late"]);
    const { model, shard } = readPredictionId(old)!;
    await node.predictionsOf(predictionsName(model, shard)).alarm();
    expect(node.query(predictionsName(model, shard), "SELECT count(*) AS n FROM predictions")).toEqual([{ n: 0 }]);
    node.clock -= 5000;
    expect(await settle(node, old, 1)).toEqual(["waiting"]);
  });

  test("are counted by state for as long as predictions are kept, and an object that nothing is left of is deleted", async () => {
    const node = openMonitor(kernel, 2 * DAY_MS);
    const name = predictionsName(scored.id, 0);
    const tables = () => node.query(name, "SELECT name FROM sqlite_master WHERE type = 'table'").length;
    const counts = async () => (await node.predictionsOf(name).view(scored.id)).counts;
    const tell = (id: string) => node.monitor.settle(name, scored.id, [{ id, label: 1, at: node.clock }]);
    await tell("a");
    node.clock += DAY_MS;
    await tell("b");
    await node.predictionsOf(name).alarm();
    expect(await counts()).toMatchObject({ waiting: 2 });
    node.clock += 2 * DAY_MS;
    await node.predictionsOf(name).alarm();
    expect(await counts()).toMatchObject({ waiting: 1 });
    node.clock += DAY_MS;
    await node.predictionsOf(name).alarm();
    expect(tables()).toBe(0);
    expect(await counts()).toMatchObject({ waiting: 0 });
    expect(await tell("a")).toEqual(["waiting"]);
    node.restart();
    expect(await counts()).toMatchObject({ waiting: 1 });
  });

  test("counted by an object of before are of the day when it wakes", async () => {
    const node = openMonitor(kernel, 2 * DAY_MS);
    const name = predictionsName(scored.id, 0);
    await node.monitor.settle(name, scored.id, [{ id: "a", label: 1, at: node.clock, probability: 0.5 }]);
    node.query(name, "UPDATE outcome_counts SET state = substr(state, 12)");
    node.restart();
    expect((await node.predictionsOf(name).view(scored.id)).counts).toMatchObject({ taken: 1 });
    node.clock += 4 * DAY_MS;
    await node.predictionsOf(name).alarm();
    expect(await node.predictionsOf(name).view(scored.id)).toMatchObject({ counts: { taken: 0 }, days: { "2026-01-31": { outcomes: 1 } } });
  });

  test("of one call come to the same, in every bit, as one by one, whatever their days and states", async () => {
    const name = predictionsName(scored.id, 0);
    const random = createRandom(9);
    const told = Array.from({ length: 200 }, (_, n) => ({
      id: `e${n % 180}`, // the last 20 are repeated or contradicting
      label: random.uniform() < 0.9 ? (1 as const) : (0 as const),
      at: Date.UTC(2026, 0, 31) - (n % 3) * DAY_MS,
      probability: Math.fround(random.uniform()),
    }));
    const [together, apart] = [openMonitor(kernel), openMonitor(kernel)];
    const states = await together.monitor.settle(name, scored.id, told);
    for (const [n, one] of told.entries()) expect(await apart.monitor.settle(name, scored.id, [one])).toEqual([states[n]]);
    expect(await together.predictionsOf(name).view(scored.id)).toEqual(await apart.predictionsOf(name).view(scored.id));
    const { outcomes, days, outcomesByState } = await together.monitor.performance(scored.id);
    expect([outcomes, days.length, outcomesByState.taken]).toEqual([180, 3, 180]);
    expect(outcomesByState.repeated + outcomesByState.contradicting).toBe(20);
  });

  test("are told of once where calls come while that is sent, and where the predictions come behind their outcomes", async () => {
    const node = openMonitor(kernel);
    const name = predictionsName(scored.id, 0);
    const ids = Array.from({ length: 200 }, (_, n) => writePredictionId({ model: scored.id, shard: 0, at: node.clock }, `${n}`));
    const object = node.predictionsOf(name);
    await object.settle(
      scored.id,
      ids.map((id) => ({ id, label: 1 as const, at: node.clock })),
    );
    expect(node.told).toEqual([]);
    node.announceMs = 20;
    const rows = ids.map((id) => ({ id, at: node.clock, probability: 0.2 }));
    await Promise.all([object.remember(rows), object.settle(scored.id, [{ id: ids[0], label: 1, at: node.clock }])]);
    expect(node.told.map(({ type }) => type)).toEqual(["performance.changed"]);
  });

  test("of all of a model's objects are told of once", async () => {
    const node = openMonitor(kernel);
    const settleIn = (shard: number) => {
      const ids = Array.from({ length: 100 }, (_, n) => writePredictionId({ model: scored.id, shard, at: node.clock }, `${n}`));
      const told = ids.map((id) => ({ id, label: 1 as const, at: node.clock, probability: 0.2 }));
      return node.monitor.settle(predictionsName(scored.id, shard), scored.id, told);
    };
    node.announceFails = true;
    await Promise.all([2, 3].map(settleIn));
    node.announceFails = false;
    await Promise.all([0, 1, 2, 3].map(settleIn));
    node.restart();
    await Promise.all([0, 1, 2, 3].map(settleIn));
    expect(node.told.map(({ type }) => type)).toEqual(["performance.changed"]);
    expect(await node.monitor.performance(scored.id)).toMatchObject({ outcomes: 400, changed: true });
  });

  test("that follow other probabilities than the model's are told of once, with what they come to", async () => {
    const node = openMonitor(kernel);
    const name = predictionsName(scored.id, 0);
    const random = createRandom(8);
    for (let n = 0; n < 400; n++)
      await node.monitor.settle(name, scored.id, [
        { id: eventPredictionId("s", "api", `e${n}`), label: random.uniform() < 0.9 ? 1 : 0, at: node.clock, probability: 0.3 },
      ]);
    expect(node.told.map(({ type }) => type)).toEqual(["performance.changed"]);
    expect(await node.monitor.performance(scored.id)).toMatchObject({ outcomes: 400, changed: true });
  });
});
