// What the kernel does of decoding, against the decoder without it and against zlib.
import { crc32 } from "node:zlib";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { decodeArtifact, encodeArtifact } from "../../../shared/artifact/artifact.ts";
import { crc32With, joinWith } from "../../../shared/artifact/kernel-decoder.ts";
import { instantiateKernel } from "../../../shared/engine.ts";
import { kernel as module } from "../../fixtures/kernel.ts";
import { randomOf } from "../../fixtures/model.ts";
import { makeStack } from "../../fixtures/stack.ts";
import { putTogether, takeApart, tensor } from "./parts.ts";

const kernel = instantiateKernel(module);
const bytes = encodeArtifact(makeStack(module, { kinds: ["linear", "trees", "trees"] }));

/** What decoding gives, or says. */
function outcomeOf(decode: () => unknown): unknown {
  try {
    return decode();
  } catch (error) {
    return (error as Error).message;
  }
}

test("a model is the same with the kernel as without, twice with one kernel", () => {
  const expected = decodeArtifact(bytes);
  expect(decodeArtifact(bytes, kernel)).toEqual(expected);
  expect(decodeArtifact(bytes, kernel)).toEqual(expected);
});

describe("the CRC-32", () => {
  const random = randomOf(3);
  const data = Uint8Array.from({ length: 200_003 }, () => 256 * random());

  test.each([0, 1, 2, 3, 4, 5, 1000, 65_535, 65_536, 65_537, 131_072, 200_003])("of %i bytes is zlib's", (length) => {
    expect(crc32With(kernel, data.subarray(0, length), 0)).toBe(crc32(data.subarray(0, length)));
  });

  test("goes on where another ended, at any address", () => {
    expect(crc32With(kernel, data.subarray(7), crc32With(kernel, data.subarray(0, 7), 0))).toBe(crc32(data));
  });
});

describe("nodes", () => {
  test("whatever they say, the decoder says the same with the kernel as without", () => {
    const { length } = tensor(takeApart(bytes), "member1.column", Uint16Array);
    const edits = fc.array(
      fc.record({
        node: fc.nat(length - 1),
        column: fc.oneof(fc.constant(0xffff), fc.nat(40), fc.nat(0xffff)),
        edge: fc.oneof(fc.constant(0), fc.nat(255)),
      }),
      { maxLength: 3 },
    );
    fc.assert(
      fc.property(edits, (changes) => {
        const parts = takeApart(bytes);
        for (const { node, column, edge } of changes) {
          tensor(parts, "member1.column", Uint16Array)[node] = column;
          tensor(parts, "member1.edge", Uint8Array)[node] = edge;
        }
        const changed = putTogether(parts);
        expect(outcomeOf(() => decodeArtifact(changed, kernel))).toEqual(outcomeOf(() => decodeArtifact(changed)));
      }),
      { seed: 1 },
    );
  });

  /** One tree of splits that are each other's left children, on column 0, which has one edge. */
  const chainOf = (splits: number) => {
    const stored = new Uint16Array(2 * splits + 1).fill(0xffff);
    stored.fill(0, 0, splits);
    return joinWith(kernel, stored, new Uint8Array(stored.length), Uint32Array.of(0, 1), Float64Array.of(0.5));
  };

  test("64 splits above a leaf are taken, 65 are not", () => {
    expect(chainOf(64)).toMatchObject({ roots: Uint32Array.of(0), leafCount: 65 });
    expect(chainOf(65)).toBeUndefined();
  });

  test("edges that do not ascend are not taken", () => {
    const leaf = [Uint16Array.of(0xffff), new Uint8Array(1), Uint32Array.of(0, 2)] as const;
    expect(joinWith(kernel, ...leaf, Float64Array.of(0.5, 0.6))).toMatchObject({ leafCount: 1 });
    expect(joinWith(kernel, ...leaf, Float64Array.of(0.5, 0.5))).toBeUndefined();
  });

  test("more than fit into 1 MiB are left to the decoder's own code", () => {
    const leaves = 80_000;
    const joined = (count: number) =>
      joinWith(kernel, new Uint16Array(count).fill(0xffff), new Uint8Array(count), Uint32Array.of(0, 1), Float64Array.of(0.5));
    expect(joined(leaves)?.leafCount).toBe(leaves);
    expect(joined(leaves + 2000)).toBeUndefined();
  });
});
