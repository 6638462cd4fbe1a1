// The frame alone: what it writes it reads, at any alignment, and what is wrong goes to the caller's own error.
import { describe, expect, test } from "vitest";
import { decodeFrame, encodeFrame, packTensors } from "../../../shared/artifact/safetensors.ts";

const tensors = packTensors({
  wide: { shape: [2], data: Float64Array.of(1.5, -2) },
  narrow: { shape: [3, 1], data: Float32Array.of(1, 2, 3) },
  whole: { shape: [1], data: Uint32Array.of(7) },
});
const stop = (message: string): never => {
  throw new TypeError(message);
};

describe("a frame", () => {
  test("lays tensors end to end in their order", () => {
    expect(tensors.entries).toEqual({
      wide: { dtype: "F64", shape: [2], data_offsets: [0, 16] },
      narrow: { dtype: "F32", shape: [3, 1], data_offsets: [16, 28] },
      whole: { dtype: "U32", shape: [1], data_offsets: [28, 32] },
    });
    expect(new DataView(tensors.data.buffer).getUint32(28, true)).toBe(7);
  });

  test.each([8, 16, 64])("begins its data at a multiple of %i, and reads what it wrote", (alignment) => {
    const bytes = encodeFrame({ format: "pt", who: "größe" }, tensors, alignment);
    const frame = decodeFrame(bytes, 1000, stop);
    expect(frame.dataStart % alignment).toBe(0);
    expect(frame).toMatchObject({ metadata: { format: "pt", who: "größe" }, entries: tensors.entries });
    expect([...frame.data]).toEqual([...tensors.data]);
    expect(frame.data.buffer).toBe(bytes.buffer); // nothing is copied
  });

  test("without metadata says that there are none", () => {
    const bytes = encodeFrame({}, { entries: {}, data: new Uint8Array() }, 8);
    expect(decodeFrame(bytes, 1000, stop)).toMatchObject({ metadata: {}, entries: {} });
    const bare = Uint8Array.of(2, 0, 0, 0, 0, 0, 0, 0, 0x7b, 0x7d);
    expect(decodeFrame(bare, 1000, stop)).toMatchObject({ metadata: undefined, entries: {}, dataStart: 10 });
  });

  test.each<[string, Uint8Array, number, string]>([
    ["is too short", new Uint8Array(7), 9, "the file has 7 bytes, expected a safetensors header"],
    [
      "has a header above the limit",
      encodeFrame({}, tensors, 8),
      9,
      "the file is no safetensors file, or damaged: the first 8 bytes claim a header of",
    ],
    ["is cut short", encodeFrame({}, tensors, 8).subarray(0, 50), 1000, "but the file has 50: the file is cut short or damaged"],
    ["has no JSON", Uint8Array.of(1, 0, 0, 0, 0, 0, 0, 0, 0x7b), 9, "the header is not JSON"],
    ["has no object", Uint8Array.of(2, 0, 0, 0, 0, 0, 0, 0, 0x5b, 0x5d), 9, "the header is not a JSON object"],
  ])("that %s is said so", (_, bytes, limit, sentence) => {
    expect(() => decodeFrame(bytes, limit, stop)).toThrow(TypeError);
    expect(() => decodeFrame(bytes, limit, stop)).toThrow(sentence);
  });
});
