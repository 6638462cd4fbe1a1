// Times of rows: beside a sequence, as the last number of its rows, and as an event's own timestamp they give the same bits.
import { expect, test } from "vitest";
import { openModel } from "../../../edge/models/servable-model.ts";
import { encodeArtifact } from "../../../shared/artifact/artifact.ts";
import { createWasmEngine, instantiateKernel } from "../../../shared/engine.ts";
import { encodeNpy } from "../../../shared/npy.ts";
import { type App, openApp, post, postScore } from "../../fixtures/app.ts";
import { makeIrregularModel } from "../../fixtures/irregular.ts";
import { kernel } from "../../fixtures/kernel.ts";
import { makeModel } from "../../fixtures/model.ts";
import { openStreams } from "../../fixtures/streams.ts";

const T = 3;
const artifact = encodeArtifact(
  makeModel(kernel, {
    name: "fx",
    timesteps: T,
    features: ["a", "b", "at"],
    clock: true,
    channels: [
      { base: "feature", a: 0, view: "rate" },
      { base: "feature", a: 2, view: "logAbsDelta" },
      { base: "difference", a: 0, b: 1, view: "level" },
    ],
  }),
);
const app = openApp(kernel, artifact);
const plain = openApp(
  kernel,
  encodeArtifact(makeModel(kernel, { timesteps: T, features: ["a", "b"], channels: [{ base: "feature", a: 0, view: "level" }] })),
);
const ROWS = [
  [1.25, 0.75],
  [1.2501, 0.5],
  [1.2502, 1.25],
];
const START = Date.UTC(2026, 0, 5, 9);
const TIMES = [START, START + 1500, START + 61_000];
const withSeconds = ROWS.map((row, t) => [...row, TIMES[t] / 1000]);
const JSON_TYPE = { "content-type": "application/json" };

const probabilityOf = async (body: unknown, to: App = app): Promise<number> => {
  const response = await postScore(to, JSON.stringify(body));
  expect(response.status).toBe(200);
  return (await response.json()).results[0].probability;
};
const detailOf = async (body: unknown, to: App = app): Promise<string> => (await (await postScore(to, JSON.stringify(body))).json()).detail;

test("beside a sequence, as dates, in any unit, and as seconds in the rows, they give the same bits", async () => {
  const expected = await probabilityOf({ sequence: withSeconds });
  expect(await probabilityOf({ sequence: ROWS, times: TIMES })).toBe(expected);
  expect(await probabilityOf({ sequence: ROWS, times: TIMES.map((ms) => new Date(ms).toISOString()) })).toBe(expected);
  expect(await probabilityOf({ sequences: [ROWS], times: [TIMES.map((ms) => ms * 1000)] })).toBe(expected);
  const line = await post(app, "/v1/score", `${JSON.stringify({ sequence: ROWS, times: TIMES })}\n`, {
    "content-type": "application/x-ndjson",
  });
  expect((await line.json()).probability).toBe(expected);
  const npy = encodeNpy(Float64Array.from(withSeconds.flat()), [1, T, 3]);
  const array = await post(app, "/v1/score", npy, { "content-type": "application/x-npy", accept: "application/json" });
  expect((await array.json()).results[0].probability).toBe(expected);
  expect(await probabilityOf({ sequence: ROWS, times: TIMES.map((ms, t) => ms + t) })).not.toBe(expected);
});

test("a stream computes them from its timestamps", async () => {
  const servable = openModel(artifact, instantiateKernel(kernel).log, (model) => createWasmEngine(kernel, model));
  const streams = openStreams(servable);
  const own = openApp(kernel, artifact, streams.dependencies);
  let answer = { probability: 0 };
  for (let t = 0; t < T; t++) {
    const event = { id: `e${t}`, timestamp: TIMES[t], values: ROWS[t] };
    answer = await (await post(own, "/v1/streams/k/events", JSON.stringify(event), JSON_TYPE)).json();
  }
  expect(answer.probability).toBe(await probabilityOf({ sequence: withSeconds }));
});

test("are refused where they are missing, too many, falling, or of no use, by their place", async () => {
  expect(await detailOf({ sequence: ROWS })).toContain("times must hold the time of each row");
  expect(await detailOf({ sequence: ROWS, times: TIMES.slice(1) })).toContain("times must be an array of 3 times");
  expect(await detailOf({ sequence: ROWS, times: TIMES.toReversed() })).toContain("times[1] must not be earlier");
  expect(await detailOf({ sequence: ROWS, times: ["today", 2, 3] })).toContain("times[0] must be a time");
  expect(await detailOf({ sequence: withSeconds, times: TIMES })).toContain(
    "sequence[0] must be without its time, since times stand beside, got a row with one",
  );
  expect(await detailOf({ sequence: [[1], ...ROWS.slice(1)], times: TIMES })).toContain(
    "sequence[0] must have 2 numbers, since times stand beside, got 1",
  );
  expect(await detailOf({ sequence: ROWS, times: TIMES }, plain)).toContain("times must be left out");
});

test("with numbers missing, a change a second is by the time since its feature was last observed, in streams as well; a time is never missing", async () => {
  const gapsToo = encodeArtifact(
    makeIrregularModel(kernel, { timesteps: T, gaps: [0], clock: true, channels: [{ base: "feature", a: 0, view: "rate" }] }),
  );
  const servable = openModel(gapsToo, instantiateKernel(kernel).log, (model) => createWasmEngine(kernel, model));
  const own = openApp(kernel, gapsToo, openStreams(servable).dependencies);
  const rows = [
    [1.25, 0.5, 1, 1],
    [null, 0.5, 1, 1],
    [1.25005, 0.5, 1, 1],
  ];
  const at = (times: readonly number[]) => probabilityOf({ sequence: rows, times }, own);
  const expected = await at(TIMES);
  expect(await at([TIMES[0], TIMES[0] + 60_000, TIMES[2]])).toBe(expected); // when it was not observed does not matter
  expect(await at([TIMES[1], TIMES[1], TIMES[2]])).not.toBe(expected);
  let answer = { probability: 0 };
  for (let t = 0; t < T; t++) {
    const event = { id: `e${t}`, timestamp: TIMES[t], values: rows[t] };
    answer = await (await post(own, "/v1/streams/k/events", JSON.stringify(event), JSON_TYPE)).json();
  }
  expect(answer.probability).toBe(expected);
  const timeless = [...rows.slice(1).map((row, t) => [...row, TIMES[t] / 1000]), [1, 1, 1, 1, null]];
  expect(await detailOf({ sequence: timeless }, own)).toContain("sequence[2][4] must be a finite number, got null");
  const npy = encodeNpy(Float64Array.from(timeless.flat(), (x) => x ?? Number.NaN), [1, T, 5]); // biome-ignore format: one line
  const array = await post(own, "/v1/score", npy, { "content-type": "application/x-npy" });
  expect((await array.json()).detail).toContain("must be a finite number, got");
});
