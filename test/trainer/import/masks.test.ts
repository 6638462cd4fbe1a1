// Keras' Masking of a number other than 0: rows of it are passed over, and what all-zero rows are is asked for.
import { readFileSync } from "node:fs";
import { Uint8ArrayReader, Uint8ArrayWriter, ZipWriter } from "@zip.js/zip.js";
import { expect, test } from "vitest";
import { decodeArtifact, encodeArtifact } from "../../../shared/artifact/artifact.ts";
import { readNpy } from "../../../shared/npy.ts";
import type { Padding } from "../../../shared/sequence.ts";
import { encodeOnnx } from "../../../trainer/export/onnx/export.ts";
import { openZip } from "../../../trainer/readers/zip.ts";
import { importBytes, rejection, scoreBytes } from "../../fixtures/import/importing.ts";

const folder = new URL("../../fixtures/import/", import.meta.url);
const [T, F] = [10, 5];
const zeroMasked = readFileSync(new URL("good/masked-hard.keras", folder));
const X = (readNpy(readFileSync(new URL("sequences.npy", folder)), "sequences.npy").data as Float64Array).slice(0, 44 * T * F);

/** The same model, whose Masking layer masks `value`. */
async function masking(value: unknown): Promise<Uint8Array> {
  const zip = await openZip(zeroMasked, "masked-hard.keras", "a model");
  const writer = new ZipWriter(new Uint8ArrayWriter(), { useWebWorkers: false });
  for (const name of zip.names) {
    const bytes = await zip.read(name, 2 ** 24);
    const text = new TextDecoder().decode(bytes).replace(/"mask_value": *[\d.]+/, `"mask_value": ${JSON.stringify(value)}`);
    await writer.add(name, new Uint8ArrayReader(name === "config.json" ? new TextEncoder().encode(text) : bytes));
  }
  return writer.close();
}

/** `X` with every all-zero row as a row of `value`. */
function padded(value: number): Float64Array {
  const values = X.slice();
  for (let at = 0; at < values.length; at += F) if (values.subarray(at, at + F).every((x) => x === 0)) values.fill(value, at, at + F);
  return values;
}

const scoresOf = async (bytes: Uint8Array, padding: Padding, values: Float64Array): Promise<number[]> =>
  scoreBytes((await importBytes(bytes, { said: { padding } })).bytes, values);

test.each([-99, -1e9, 0.1, 7])("rows of %d are passed over as the same model passes over rows of zeros", async (value) => {
  const expected = scoreBytes((await importBytes(zeroMasked)).bytes, X);
  expect(await scoresOf(await masking(value), "none", padded(value))).toEqual(expected);
  expect(await scoresOf(await masking(value), "none", padded(Math.fround(value)))).toEqual(expected);
});

test("what all-zero rows are is asked for, and --padding says that they stand for such rows, or are data", async () => {
  const bytes = await masking(-99);
  expect(await rejection(bytes)).toMatch(
    /passes over rows of -99, and does not say what all-zero rows and shorter sequences are: say --padding: none where every row is data/,
  );
  const expected = scoreBytes((await importBytes(zeroMasked)).bytes, X);
  expect(await scoresOf(bytes, "any", X)).toEqual(expected);
  const asData = await scoresOf(bytes, "none", X);
  expect(asData.filter((p, n) => p !== expected[n]).length).toBeGreaterThan(20);
});

test("behind a scaler no raw row is the mask's", async () => {
  const scaler = { mean: new Float64Array(F).fill(1), scale: new Float64Array(F).fill(2) };
  const { model, findings } = await importBytes(await masking(-99), { said: { padding: "any" }, scaler });
  expect(model.recipe.mask).toBeUndefined();
  expect(findings.join()).toContain("rows of -99 behind the scaler stand for padding, which --padding says of raw rows");
});

test("an artifact carries the mask, an export does, and one with preprocessing is refused", async () => {
  const { model, bytes } = await importBytes(await masking(-99), { said: { padding: "leading" } });
  expect(model.recipe).toMatchObject({ padding: "leading", mask: -99 });
  expect(decodeArtifact(encodeArtifact(model)).recipe).toEqual(model.recipe);
  const again = await importBytes(encodeOnnx(model));
  expect(again.model.recipe).toEqual(model.recipe);
  expect(scoreBytes(again.bytes, padded(-99))).toEqual(scoreBytes(bytes, padded(-99)));
  expect(() => encodeOnnx(model, { preprocessing: true })).toThrow("passes over rows of -99, which no export with --preprocessing does");
});

test.each([null, "zero", [0], 1e300])("a mask of %j is refused", async (value) => {
  const sentence = value === null ? "imported" : "expected a finite number for mask_value";
  expect(await rejection(await masking(value))).toContain(sentence);
});
