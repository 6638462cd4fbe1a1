// Files as Keras and PyTorch lay them out, in pairs: the model and what it answers (make.py and make-later.py in test/fixtures/import make both).
import { readdirSync, readFileSync } from "node:fs";
import { parse } from "node:path";
import { describe, expect, test } from "vitest";
import { readNpy } from "../../../shared/npy.ts";
import { importBytes, scoreBytes } from "../../fixtures/import/importing.ts";

const folder = new URL("../../fixtures/import/", import.meta.url);
const X = readNpy(readFileSync(new URL("sequences.npy", folder)), "sequences.npy").data as Float64Array;
/** The kernel computes in float32 what the oracles compute in float64: parity.test.ts argues the bound. */
const TOLERANCE = 2e-6;

const files = readdirSync(new URL("good/", folder)).filter((name) => !name.endsWith(".json"));

test("there are files of every format", () => {
  const endings = new Set(files.map((name) => parse(name).ext));
  expect([...endings].sort()).toEqual([".h5", ".keras", ".onnx", ".safetensors"]);
  expect(files).toContain("lstm100.h5");
});

describe.each(files)("%s", async (name) => {
  const expected = JSON.parse(readFileSync(new URL(`good/${parse(name).name}.json`, folder), "utf8"));
  const imported = await importBytes(readFileSync(new URL(`good/${name}`, folder)));

  test("scores as its own framework does, within 2e-6, for lengths 0 to 10 and zero rows in front and inside", () => {
    const scores = scoreBytes(imported.bytes, X);
    expect(new Set(scores).size).toBeGreaterThan(20);
    let compared = 0;
    for (const [n, p] of expected.probabilities.entries()) {
      if (p === null) {
        expect(scores[n]).toBeNaN(); // nothing but padding is no sequence
        continue;
      }
      compared++;
      expect(Math.abs(scores[n] - p)).toBeLessThanOrEqual(TOLERANCE);
    }
    expect(compared).toBe(expected.padding === "none" ? 44 : 40);
  });

  test("has the padding that its masks say, and its steps", () => {
    expect(imported.model.recipe.padding).toBe(expected.padding);
    expect(imported.model.recipe.timesteps).toBe(expected.timesteps ?? 10);
    expect(imported.parity).toBeLessThanOrEqual(TOLERANCE);
  });

  test("carries no figures, and says where it came from", () => {
    const { card } = imported.model;
    expect(card.test).toBeNull();
    expect(card.imported).toMatchObject({ file: "model", parity: imported.parity });
    expect(card.warnings.join()).toContain("not calibrated");
  });
});

describe("a scaler of scikit-learn", () => {
  const scaler = { mean: Float64Array.of(1, -2, 0.5, 0, 3), scale: Float64Array.of(0.5, 2, 1, 3, 0.25) };
  const scaled = (values: Float64Array): Float64Array => values.map((x, at) => (x - scaler.mean[at % 5]) / scaler.scale[at % 5]);

  test.each(["lstm100.h5", "torch.safetensors", "normalization.keras"])("stands in front of %s", async (name) => {
    const bytes = readFileSync(new URL(`good/${name}`, folder));
    const plain = await importBytes(bytes);
    const withScaler = await importBytes(bytes, { scaler });
    const [a, b] = [scoreBytes(plain.bytes, scaled(X)), scoreBytes(withScaler.bytes, X)];
    for (const [n, p] of a.entries()) expect(Math.abs(b[n] - p)).toBeLessThanOrEqual(TOLERANCE);
    expect(b).not.toEqual(scoreBytes(plain.bytes, X));
  });

  test("leaves padding zero where a mask passes over it", async () => {
    const bytes = readFileSync(new URL("good/masked-batchnorm.h5", folder));
    const rows = scaled(X).map((x, at) => (X.subarray(at - (at % 5), at - (at % 5) + 5).every((value) => value === 0) ? 0 : x));
    const [a, b] = [scoreBytes((await importBytes(bytes)).bytes, rows), scoreBytes((await importBytes(bytes, { scaler })).bytes, X)];
    for (const [n, p] of a.entries()) if (!Number.isNaN(p)) expect(Math.abs(b[n] - p)).toBeLessThanOrEqual(TOLERANCE);
  });
});
