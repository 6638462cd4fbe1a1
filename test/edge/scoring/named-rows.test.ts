// Rows that name their values, as files may have them, too: in score requests, lines and events they give the bits of lists.
import { expect, test } from "vitest";
import { openModel } from "../../../edge/models/servable-model.ts";
import { encodeArtifact } from "../../../shared/artifact/artifact.ts";
import { createWasmEngine, instantiateKernel } from "../../../shared/engine.ts";
import { openScorer } from "../../../shared/scorer.ts";
import { openApp, post, postScore } from "../../fixtures/app.ts";
import { kernel } from "../../fixtures/kernel.ts";
import { makeModel } from "../../fixtures/model.ts";
import { openStreams } from "../../fixtures/streams.ts";

const features = ["open", "high", "at"];
const model = makeModel(kernel, {
  timesteps: 3,
  features,
  clock: true,
  channels: [
    { base: "feature", a: 0, view: "rate" },
    { base: "difference", a: 0, b: 1, view: "level" },
  ],
});
const artifact = encodeArtifact(model);
const { log } = instantiateKernel(kernel);
const streams = openStreams(openModel(artifact, log, (decoded) => createWasmEngine(kernel, decoded)));
const app = openApp(kernel, artifact, streams.dependencies);
const ROWS = [
  [1.25, 0.75, 1_767_600_000],
  [1.2501, 0.5, 1_767_600_060],
  [1.2502, 1.25, 1_767_600_061],
];
/** In another order than the model's. */
const named = (row: readonly number[]) => ({ at: row[2], high: row[1], open: row[0] });
const untimed = ([open, high]: readonly number[]) => ({ high, open });
const LINES = { "content-type": "application/x-ndjson" };

async function resultsOf(body: object): Promise<{ probability: number }[]> {
  const response = await postScore(app, JSON.stringify(body));
  expect(response.status).toBe(200);
  return (await response.json()).results;
}

test("a score request, lines and the package take them in any order", async () => {
  const [expected] = await resultsOf({ sequence: ROWS });
  expect(await resultsOf({ sequence: ROWS.map(named) })).toEqual([expected]);
  expect(await resultsOf({ sequences: [ROWS, ROWS.map(named)] })).toEqual([expected, expected]);
  const times = ROWS.map((row) => row[2]);
  expect(await resultsOf({ sequence: ROWS.map(untimed), times })).toEqual([expected]);
  const line = await post(app, "/v1/score", `${JSON.stringify(ROWS.map(named))}\n`, LINES);
  expect(await line.json()).toEqual(expected);
  expect(openScorer(artifact, kernel).score([ROWS.map(named)])[0].probability).toBe(expected.probability);
});

test("an event's values may be named, and the event is the same as the one with a list", async () => {
  const send = (body: object) =>
    post(app, "/v1/streams/k/events", JSON.stringify({ id: "1", timestamp: ROWS[0][2], ...body }), { "content-type": "application/json" });
  const first = await send({ values: untimed(ROWS[0]) });
  expect(first.status).toBe(200);
  const again = await send({ values: ROWS[0].slice(0, 2) });
  expect(again.headers.get("idempotent-replayed") ?? again.status).toBeTruthy();
  expect(await again.json()).toMatchObject({ seq: 1, id: "1" });
  const wrong = await send({ values: named(ROWS[0]) }); // an event's time is its timestamp
  expect(await wrong.json()).toMatchObject({
    status: 422,
    detail: 'values must have no names but open, high, got "at"',
    pointer: "/values",
  });
});

test("what is wrong with them is said with its place", async () => {
  const problemOf = async (body: object) => (await postScore(app, JSON.stringify(body))).json();
  const [first, ...others] = ROWS.map(named);
  expect(await problemOf({ sequences: [[first, { ...others[0], high: "2" }]] })).toMatchObject({
    status: 422,
    detail: 'sequences[0][1].high must be a finite number, got "2"',
    pointer: "/sequences/0/1/high",
  });
  expect(await problemOf({ sequence: [{ open: 1, at: 2 }] })).toMatchObject({ pointer: "/sequence/0/high" });
  expect(await problemOf({ sequence: [ROWS[0], { ...first, volume: 1 }] })).toMatchObject({
    detail: 'sequence[1] must have no names but open, high, got "volume"',
  });
});
