// The page's real sequences are rows of the file that the sample command reads, out of the part that the deployed model was tested on.
import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { REAL_FEATURES, REAL_SAMPLES } from "../../../edge/page/real-samples.ts";
import { decodeArtifact } from "../../../shared/artifact/artifact.ts";
import { makeSp500 } from "../../../trainer/sample/sp500.ts";

const { card, recipe } = decodeArtifact(new Uint8Array(readFileSync(new URL("../../../edge/model.safetensors", import.meta.url))));
const { values, labels, features } = makeSp500();
const size = recipe.timesteps * features.length;
const windows = Array.from(labels, (_, n) => values.subarray(n * size, (n + 1) * size).join());

test("each is a window of the file with its label, of the test part", () => {
  expect(REAL_FEATURES).toEqual(recipe.features);
  const places = REAL_SAMPLES.map(({ rows }) => windows.indexOf(rows.flat().join()));
  expect(places.map((n) => labels[n])).toEqual(REAL_SAMPLES.map(({ label }) => label));
  expect(Math.min(...places)).toBeGreaterThanOrEqual(labels.length - card.split!.examples.test);
  expect(new Set(REAL_SAMPLES.map(({ label }) => label))).toEqual(new Set([0, 1]));
});

test("what it moved by is what the next day's close says", () => {
  const close = features.indexOf("close");
  for (const { rows, move } of REAL_SAMPLES) {
    const next = windows.indexOf(rows.flat().join()) + 1;
    const last = values[(next + 1) * size - features.length + close];
    const percent = 100 * (last / rows[rows.length - 1][close] - 1);
    expect(move).toBe(`${percent < 0 ? "−" : "+"}${Math.abs(percent).toFixed(1)} %`);
  }
});
