// What a key that may score and not read learns of the model: GET /v1/models/{name}.
import { createHash } from "node:crypto";
import { expect, test } from "vitest";
import { readAccess } from "../../../edge/http/access.ts";
import { encodeArtifact } from "../../../shared/artifact/artifact.ts";
import type { LabelReading } from "../../../shared/model.ts";
import { openApp } from "../../fixtures/app.ts";
import { kernel } from "../../fixtures/kernel.ts";
import { makeModel } from "../../fixtures/model.ts";

const access = readAccess({ API_KEYS: `page:${createHash("sha256").update("the-key").digest("hex")}:score` });
const headers = { authorization: "Bearer the-key" };
const inputs = [{ name: "x" }, { name: "mode", levels: ["down", "up"] }, { name: "age", static: true as const }];
const model = makeModel(kernel, {
  name: "shop",
  timesteps: 4,
  gaps: [0],
  clock: true,
  inputs,
  features: ["x", "mode=down", "mode=up", "age", "at"],
  channels: [{ base: "feature", a: 0, view: "level" }],
});

async function ask(path: string, labels?: LabelReading | "none", names?: "calibrated") {
  const facts = labels && { sequences: 9, features: model.recipe.features, labels };
  const data = { ...model.card.data, facts };
  const seen = { data, by: "random", examples: { calibration: 3, validation: 3, test: 3 } };
  const card = { ...model.card, ...(names === "calibrated" ? { calibrated: seen } : { data }) };
  const app = openApp(kernel, encodeArtifact({ ...model, card }), { access });
  return app.request(path, { headers });
}

const meaning = { one: "yes", zero: "no", values: ["no", "yes"] };

test("names, levels, thresholds and the labels' words are known to a key that may only score; metrics are not", async () => {
  expect((await ask("/v1/model")).status).toBe(403);
  const answer = await (await ask("/v1/models/shop", { name: "churned", meaning })).json();
  expect(answer).toEqual({
    name: "shop",
    ready: true,
    model_version_status: expect.any(Array),
    id: expect.stringMatching(/^shop@[0-9a-f]{12}$/),
    features: model.recipe.features,
    timesteps: 4,
    recipe: { padding: model.recipe.padding, gaps: ["x"], clock: "at", inputs },
    operatingPoints: model.operatingPoints.map(({ name, threshold }) => ({ name, threshold })),
    labels: { name: "churned", one: "yes", zero: "no" },
  });
});

test("labels are of what calibrated an imported model, and left out where nothing is known of them", async () => {
  const labelsOf = async (...card: [labels?: LabelReading | "none", names?: "calibrated"]) =>
    (await (await ask("/v1/models/shop", ...card)).json()).labels;
  expect(await labelsOf({ name: "won", meaning: { ...meaning, zero: null } }, "calibrated")).toEqual({
    name: "won",
    one: "yes",
    zero: null,
  });
  expect(await labelsOf({ name: "won", meaning: null })).toBeUndefined();
  expect(await labelsOf("none")).toBeUndefined();
  expect(await labelsOf()).toBeUndefined();
});
