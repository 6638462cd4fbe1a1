import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { encodeNpy, readNpy } from "../../../shared/npy.ts";
import { readArchive } from "../../../trainer/readers/arrays.ts";
import type { Wanted } from "../../../trainer/readers/batch.ts";
import { encodeNpz, openNpz } from "../../../trainer/readers/npz.ts";

const fixture = (name: string): Uint8Array => new Uint8Array(readFileSync(new URL(`../../fixtures/readers/${name}`, import.meta.url)));
const NAMES = ["open", "größe", "", "🙂"];

test("writes the bytes that np.save writes", () => {
  const numbers = Float64Array.from({ length: 100 }, (_, i) => i / 8 - 3);
  expect(encodeNpy(numbers, [2, 10, 5])).toEqual(fixture("npy/f8-little.npy"));
  expect(encodeNpy(Uint8Array.from(numbers.keys()), [2, 10, 5])).toEqual(fixture("npy/u1-little.npy"));
  expect(encodeNpy(NAMES, [4])).toEqual(fixture("text.npy"));
});

test("reads back every bit of what it writes", () => {
  const numbers = Float64Array.of(0, -0, 5e-324, -1.7976931348623157e308, 0.1);
  expect(readNpy(encodeNpy(numbers, [5]), "numbers")).toEqual({ shape: [5], data: numbers, dtype: "float64" });
  expect(readNpy(encodeNpy(NAMES, [2, 2]), "names")).toEqual({ shape: [2, 2], data: NAMES, dtype: "text" });
});

test("packs arrays under their names, the same bytes each time", async () => {
  const arrays = { X: { shape: [2, 2], data: Float64Array.of(1, 2, 3, 4) }, y: { shape: [2], data: Uint8Array.of(0, 1) } };
  const bytes = await encodeNpz(arrays);
  const npz = await openNpz(bytes, "packed.npz");
  expect(npz.names).toEqual(["X", "y"]);
  expect(await npz.read("X")).toEqual({ shape: [2, 2], data: Float64Array.of(1, 2, 3, 4), dtype: "float64" });
  expect(await npz.read("y")).toEqual({ shape: [2], data: Float64Array.of(0, 1), dtype: "uint8" });
  await expect(npz.read("z")).rejects.toThrow("packed.npz: has no array z");
  expect(await encodeNpz(arrays)).toEqual(bytes);
  // Zip keeps a date; ours is the first that it can hold, midnight on 1 January 1980, whatever the clock and the time zone say.
  expect(bytes.subarray(10, 14)).toEqual(Uint8Array.of(0, 0, 0x21, 0));
});

test.each(["y", "Y", "label", "labels", "target", "y_train", "Y_train"])("labels may be called %s, once", async (name) => {
  const wanted: Wanted = { labels: true, parts: false, columns: [], statics: [], onIssue: () => {} };
  const X = { shape: [2, 1, 1], data: Float64Array.of(3, 4) };
  const y = { shape: [2], data: Uint8Array.of(0, 1) };
  const batch = await readArchive(await openNpz(await encodeNpz({ X, [name]: y }), "a.npz"), "a.npz", wanted);
  expect(batch).toMatchObject({ labels: Uint8Array.of(0, 1), labelName: name });
  const twice = await openNpz(await encodeNpz({ X, [name]: y, [name === "y" ? "Y" : "y"]: y }), "a.npz");
  await expect(readArchive(twice, "a.npz", wanted)).rejects.toThrow(/a\.npz: holds both .*: keep one of them/);
});
