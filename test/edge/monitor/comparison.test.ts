// A challenger in the shadow: the figures, and that each pair is judged once, whatever comes first. On workerd's own objects:
// test/workerd/shadow.test.ts.
import { DatabaseSync } from "node:sqlite";
import { describe, expect, test } from "vitest";
import type { Ready } from "../../../edge/models/servable-model.ts";
import { addPair, addPairs, describePairs, describeShares, judgePair, noPairs } from "../../../edge/monitor/comparison.ts";
import { addOutcome, noOutcomes } from "../../../edge/monitor/performance.ts";
import { predictionsName, readPredictionId } from "../../../edge/monitor/prediction-id.ts";
import { settleOutcomes } from "../../../edge/routes/outcome-places.ts";
import { EventLog } from "../../../edge/streams/event-log.ts";
import type { StreamStore } from "../../../edge/streams/store.ts";
import { eventPredictionId } from "../../../edge/streams/window.ts";
import { createWasmEngine, instantiateKernel } from "../../../shared/engine.ts";
import { score } from "../../../shared/model.ts";
import { kernel } from "../../fixtures/kernel.ts";
import { makeModel, makeSequences } from "../../fixtures/model.ts";
import { openMonitor } from "../../fixtures/monitor.ts";
import { contextOf } from "../../fixtures/streams.ts";

const { log } = instantiateKernel(kernel);
const readyOf = (name: string, units: number, digit: string) => {
  const model = makeModel(kernel, { name, units });
  const sha256 = digit.repeat(64);
  return { model, engine: createWasmEngine(kernel, model), log, format: "quickstep/2", sha256, id: `${name}@${sha256.slice(0, 12)}` };
};
const shadow = readyOf("fx", 9, "b");
const served = { ...readyOf("fx", 8, "a"), shadow };
const values = makeSequences(4, 10, 5, 7);
const probabilitiesOf = ({ model, engine }: typeof shadow) => score(model, engine, log, values, (n) => [n]).probabilities;
const [p, q] = [probabilitiesOf(served), probabilitiesOf(shadow)];

describe("the figures", () => {
  // import numpy as np
  // p = np.array([.2, .6, .7, .9]); q = np.array([.3, .4, .8, .95]); y = np.array([0, 1, 1, 0])
  // d = q - p; l = lambda x, y: -np.log(np.where(y == 1, x, 1 - x)); e = l(q, y) - l(p, y)
  // for v in d, e: print(v.mean(), 1.959964 * v.std(ddof=1) / 2)
  // print(l(p, y).mean(), l(q, y).mean())
  const [ps, qs, ys] = [[0.2, 0.6, 0.7, 0.9], [0.3, 0.4, 0.8, 0.95], [0, 1, 1, 0] as (0 | 1)[]];

  test("of pairs are numpy's, and add up whatever part they come in", () => {
    const sums = [noPairs(), noPairs()];
    for (const [i, probability] of ps.entries()) {
      addPair(sums[i % 2], probability, probability >= 0.5 ? 1 : 0, qs[i], qs[i] >= 0.5 ? 1 : 0);
      judgePair(sums[i % 2], probability, qs[i], ys[i], Math.log);
    }
    addPairs(sums[0], sums[1]);
    const { meanDifference, labels, agreement, logLoss, differences, paired } = describePairs(sums[0]);
    expect(paired).toBe(true);
    expect(meanDifference!.value).toBeCloseTo(0.0125, 12);
    expect(meanDifference!.high - meanDifference!.value).toBeCloseTo(0.140739, 6);
    expect([labels, agreement]).toEqual([
      [
        [1, 0],
        [1, 2],
      ],
      0.75,
    ]);
    expect(logLoss!.model).toBeCloseTo(0.848307, 6);
    expect(logLoss!.challenger).toBeCloseTo(1.12296, 6);
    expect(logLoss!.difference!.value).toBeCloseTo(0.274653, 6);
    expect(logLoss!.difference!.high - logLoss!.difference!.value).toBeCloseTo(0.348217, 6);
    expect(differences!.flatMap((n, b) => (n > 0 ? [`${n} in ${b}`] : []))).toEqual(["1 in 16", "1 in 20", "2 in 22"]);
  });

  test("of shares are of two samples, and of nothing none", () => {
    const [tally, other] = [noOutcomes(), noOutcomes()];
    for (const i of [0, 1, 2, 3]) addOutcome(tally, ps[i], ys[i], Math.log);
    for (const i of [0, 1]) addOutcome(other, qs[i], ys[i], Math.log);
    const { paired, outcomes, logLoss, agreement } = describeShares(tally, other);
    expect([paired, agreement, outcomes]).toEqual([false, null, { model: 4, challenger: 2 }]);
    // lp, lq = l(p, y), l(q[:2], y[:2]); print(lq.mean() - lp.mean(), 1.959964 * np.sqrt(lp.var(ddof=1) / 4 + lq.var(ddof=1) / 2))
    expect(logLoss!.difference!.value).toBeCloseTo(-0.211824, 6);
    expect(logLoss!.difference!.high - logLoss!.difference!.value).toBeCloseTo(1.103058, 6);
    expect(describeShares(noOutcomes(), other)).toMatchObject({ logLoss: null, meanDifference: null });
    expect(describePairs(noPairs())).toMatchObject({ logLoss: null, meanDifference: null, agreement: null });
  });
});

describe("pairs", () => {
  const trial = { served, other: shadow, challenger: { sha256: shadow.sha256, shadow: 1 } };

  test.each([["predictions and then outcomes"], ["outcomes and then predictions"], ["outcomes between them"]])(
    "are judged once: %s",
    async (order) => {
      const node = openMonitor(kernel);
      const ids = node.monitor.remember(served.id, p) as string[];
      const settle = () => {
        const { model, shard } = readPredictionId(ids[0])!;
        const outcomes = ids.map((id) => ({ id, label: 1 as const, at: node.clock }));
        return node.monitor.settle(predictionsName(model, shard), served.id, outcomes);
      };
      if (order.startsWith("outcomes and")) await settle();
      if (order.startsWith("outcomes between")) {
        await node.monitor.isolate.flush();
        await settle();
      }
      node.monitor.isolate.shadow(served, values, p, ids);
      await node.monitor.isolate.flush();
      node.restart();
      await settle();
      await settle();
      const { sequences, outcomes, logLoss } = await node.monitor.compare(trial);
      expect([sequences.model, outcomes.model]).toEqual([4, 4]);
      const mean = (x: Float32Array) => x.reduce((sum, one) => sum - Math.log(one), 0) / 4;
      expect(logLoss!.model).toBeCloseTo(mean(p), 6);
      expect(logLoss!.challenger).toBeCloseTo(mean(q), 6);
    },
  );

  test("of a stream's event are judged by its outcome", async () => {
    const node = openMonitor(kernel);
    const id = eventPredictionId("EURUSD", "api", "bar-1");
    const told: unknown[] = [];
    const rows = Array.from({ length: 10 }, (_, t) => [...values.subarray(t * 5, (t + 1) * 5)]);
    const onScored: Ready["onScored"] = (raw, probabilities, _, ids) => {
      told.push(ids);
      node.monitor.isolate.shadow(served, raw, probabilities, ids);
    };
    const { storage } = contextOf("EURUSD", new DatabaseSync(":memory:"), () => {});
    const report = { version: 1, due: null, reported: "{}", reportedAt: 0 };
    const eventLog = EventLog.create(storage, served.model.recipe, new Map(), "EURUSD", report);
    const event = { id: "bar-1", timestamp: 0, data: { sequence: rows }, digest: "" };
    const add = () => eventLog.add({ ready: { ...served, onScored }, model: served.id }, "api", event, 1, false);
    const { probability } = add()!.answer;
    expect(add()).toBeUndefined(); // of a known event nobody hears again
    expect(told).toEqual([[id]]);
    await node.monitor.isolate.flush();
    const streams = { prediction: async () => ({ model: served.id, at: node.clock, probability }) } as unknown as StreamStore;
    const given = [{ stream: "EURUSD", source: "api", id: "bar-1", label: 1 as const }];
    const fail = (error: Error) => {
      throw error;
    };
    expect(await settleOutcomes(given, served, node.monitor, streams, fail)).toEqual(["taken"]);
    const { outcomes, logLoss } = await node.monitor.compare(trial);
    expect(outcomes).toEqual({ model: 1, challenger: 1 });
    expect(logLoss).toMatchObject({ challenger: expect.closeTo(-Math.log(q[0]), 6), difference: null });
  });

  test("beyond 256 between two flushes are not compared, and those that do not arrive are lost: both are counted", async () => {
    const node = openMonitor(kernel);
    const many = makeSequences(300, 10, 5, 8);
    const said = score(served.model, served.engine, log, many, (n) => [n]).probabilities;
    node.monitor.isolate.shadow(served, many, said);
    node.monitor.isolate.shadow(served, values, p);
    await node.monitor.isolate.flush();
    expect((await node.monitor.compare(trial)).sequences.model).toBe(256);
    node.monitor.isolate.shadow(served, values, p);
    node.fails = true;
    await node.monitor.isolate.flush();
    node.fails = false;
    await node.monitor.isolate.flush();
    expect((await node.monitor.counts()).lost).toEqual({ comparisons: 44 + 4 + 4 });
  });

  test("an object of before, without their tables, takes them", async () => {
    const node = openMonitor(kernel);
    const [id] = node.monitor.remember(served.id, p.slice(0, 1));
    await node.monitor.isolate.flush();
    const { model, shard } = readPredictionId(id!)!;
    const name = predictionsName(model, shard);
    for (const table of ["shadows", "pairs"]) node.query(name, `DROP TABLE ${table}`);
    node.restart();
    node.monitor.isolate.shadow(served, values.slice(0, 50), p.slice(0, 1), [id]);
    await node.monitor.isolate.flush();
    expect((await node.monitor.compare(trial)).sequences.model).toBe(1);
  });

  test("what waits for an outcome goes when predictions go", async () => {
    const node = openMonitor(kernel, 1000);
    const [id] = node.monitor.remember(served.id, p.slice(0, 1));
    node.monitor.isolate.shadow(served, values.slice(0, 50), p.slice(0, 1), [id]);
    await node.monitor.isolate.flush();
    const { model, shard } = readPredictionId(id!)!;
    node.clock += 2000;
    await node.predictionsOf(predictionsName(model, shard)).alarm();
    expect(node.query(predictionsName(model, shard), "SELECT * FROM shadows")).toEqual([]);
  });
});
