import { expect, test } from "vitest";
import { firstBlocks, intern } from "../../../trainer/split/intern.ts";
import { createRandom } from "../../../trainer/statistics/random.ts";

test("equal blocks get the number of the first, in the order they appear; unused ones −1", () => {
  const words = Int32Array.of(5, 6, 7, 8, 5, 6, 6, 5, 7, 8);
  const all = intern(words, 2, null);
  expect(all).toEqual({ ids: Int32Array.of(0, 1, 0, 2, 1), count: 3 });
  expect(firstBlocks(all)).toEqual(Int32Array.of(0, 1, 3));
  const some = intern(words, 2, Uint8Array.of(0, 1, 1, 1, 0));
  expect(some).toEqual({ ids: Int32Array.of(-1, 0, 1, 2, -1), count: 3 });
  expect(firstBlocks(some)).toEqual(Int32Array.of(1, 2, 3));
  expect(intern(new Int32Array(0), 2, null).count).toBe(0);
});

test("blocks with the same 32-bit hash are told apart: among 300,000 about ten pairs have one", () => {
  const random = createRandom(1);
  const words = new Int32Array(600_000).map(() => random.integer(2 ** 32));
  expect(intern(words, 2, null).count).toBe(new Set(Array.from({ length: 300_000 }, (_, i) => `${words[2 * i]},${words[2 * i + 1]}`)).size);
});

test("whatever fits in the table is numbered as a Map numbers it: 1 to 200 blocks, a third of them unused", () => {
  for (let blocks = 1; blocks <= 200; blocks++) {
    const random = createRandom(blocks);
    const words = new Int32Array(blocks).map(() => random.integer(blocks));
    const isUsed = new Uint8Array(blocks).map(() => (random.integer(3) === 0 ? 0 : 1));
    const seen = new Map<number, number>();
    const expected = words.map((word, block) => {
      if (isUsed[block] === 0) return -1;
      if (!seen.has(word)) seen.set(word, seen.size);
      return seen.get(word)!;
    });
    expect(intern(words, 1, isUsed)).toEqual({ ids: expected, count: seen.size });
  }
});
