// Very many sequences in a file: each is in the sample, held out, tested or further, never in two of these; and it is read with its own label.
import { tmpdir } from "node:os";
import { afterAll, describe, expect, test } from "vitest";
import { prepareStored } from "../../../trainer/pipeline/prepare-stored.ts";
import type { LabelledDataset } from "../../../trainer/readers/dataset.ts";
import { openSequenceStore } from "../../../trainer/readers/stored-sequences.ts";
import { createRandom } from "../../../trainer/statistics/random.ts";

const [N, T, F] = [24_000, 3, 2];
const SIZE = T * F;
const shape = { timesteps: T, features: F };
const MAX = 1000;
const stores: { close(): void }[] = [];
afterAll(() => {
  for (const store of stores) store.close();
});

/** Random rows; those of a group of ten share one, where `areWindows`. The label is the parity of the first number's thousandth part. */
function prepare(areWindows: boolean) {
  const random = createRandom(11);
  const values = Float64Array.from({ length: N * SIZE }, () => Math.floor(random.uniform() * 1e9));
  if (areWindows) for (let n = 0; n < N; n++) if (n % 10 > 0) values.copyWithin(n * SIZE, n * SIZE - SIZE + F, n * SIZE); // all but the last row of the one before
  values.fill(0, 7 * SIZE, 8 * SIZE); // nothing but padding
  const store = openSequenceStore(tmpdir(), F);
  stores.push(store);
  store.add({ values, shape });
  const stored = store.finish(T);
  const labelOf = (row: ArrayLike<number>) => Math.floor(row[SIZE - 1] / 1000) % 2;
  const labels = Uint8Array.from({ length: N }, (_, n) => labelOf(values.subarray(n * SIZE, (n + 1) * SIZE)));
  const data = {
    stored,
    shape,
    labels,
    probability: null,
    source: "many.npz",
    test: null,
    values: new Float64Array(0),
    features: ["a", "b"],
  };
  const notes: string[] = [];
  const prepared = prepareStored(
    data as unknown as LabelledDataset & { stored: typeof stored },
    "leading",
    { seed: 1, split: "auto", horizon: 0, recipe: "auto" },
    { onNote: ({ code }) => notes.push(code), chooseTestShare: () => 0.1, maxSample: MAX },
  );
  return { prepared, notes, labelOf };
}

const textsOf = (values: Float64Array, positions: Int32Array): string[] =>
  Array.from(positions, (n) => values.subarray(n * SIZE, (n + 1) * SIZE).join());

describe.each([
  ["strangers", false],
  ["windows of ten", true],
])("of %s", (_, areWindows) => {
  const { prepared, notes, labelOf } = prepare(areWindows);
  const { usable, plan, aside, leftOut } = prepared;
  const [{ train, heldOut }] = aside!.dealt;
  const rest = aside!.read(Int32Array.from(aside!.labels.keys()));
  const restTexts = textsOf(rest, Int32Array.from(aside!.labels.keys()));

  test("all parts together are all sequences with a valid row, each once", () => {
    const all = [...textsOf(usable.values, Int32Array.from(usable.labels.keys())), ...restTexts];
    expect(new Set(all).size).toBe(N - 1);
    expect(all).toHaveLength(N - 1);
    expect(train).toHaveLength(MAX);
    expect(new Set([...train, ...heldOut, ...plan.test]).size).toBe(usable.labels.length);
    expect(aside!.sequences).toBe(MAX + aside!.labels.length);
    expect([leftOut, notes]).toEqual([1, ["left-out", "split"]]);
  });

  test("each has its own label, and a part is read alone as with the others", () => {
    usable.labels.forEach((label, n) => {
      if (label !== labelOf(usable.values.subarray(n * SIZE, (n + 1) * SIZE))) throw new Error(`sequence ${n} has another's label`);
    });
    aside!.labels.forEach((label, m) => {
      if (label !== labelOf(rest.subarray(m * SIZE, (m + 1) * SIZE))) throw new Error(`further sequence ${m} has another's label`);
    });
    const some = Int32Array.of(400, 3, 17);
    expect(textsOf(aside!.read(some), Int32Array.of(0, 1, 2))).toEqual(Array.from(some, (m) => restTexts[m]));
  });

  test("no row that is held out or tested is learnt from", () => {
    const rowsOf = (texts: readonly string[]): Set<string> =>
      new Set(texts.flatMap((text) => text.split(",")).filter((_, i) => i % F === 0));
    const learnt = rowsOf([...textsOf(usable.values, train), ...restTexts]);
    const unseen = rowsOf(textsOf(usable.values, Int32Array.from([...heldOut, ...plan.test])));
    const shared = [...unseen].filter((row) => learnt.has(row));
    expect(shared.length).toBeLessThan(3); // numbers of a thousand million are equal by chance
    expect(plan.by).toBe(areWindows ? "group" : "random");
    expect(plan.reason.code).toBe(areWindows ? "shared-rows-series" : "no-shared-rows");
  });

  test("what is dealt of those that were read is dealt by their positions", () => {
    const [, inner] = plan.deal(train, [0.9, 0.1]);
    expect(Int32Array.from([...inner.train, ...inner.heldOut]).sort()).toEqual(train);
    expect(inner.heldOut.length).toBeGreaterThan(50);
  });
});
