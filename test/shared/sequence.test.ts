import { describe, expect, test } from "vitest";
import { LimitError, SequenceError } from "../../shared/errors.ts";
import { DEFAULT_SHAPE, isZeroRow, type Padding, parseSequence, parseSequences, validRows } from "../../shared/sequence.ts";

const SHAPE = { timesteps: 3, features: 2 };

function parse(value: unknown, shape = SHAPE): Float64Array {
  return parseSequences(value, ["sequences"], shape, 1000);
}

function errorOf(run: () => unknown): unknown {
  try {
    return run();
  } catch (error) {
    return error;
  }
}

describe("parseSequences", () => {
  test("aligns a shorter sequence to the right, zeros in front", () => {
    expect([...parse([[[1, 2]], [[3, 4]]])]).toEqual([0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 3, 4]);
  });

  test("keeps every finite number as it is: the largest, the smallest, zero", () => {
    const numbers = [Number.MAX_VALUE, -Number.MAX_VALUE, Number.MIN_VALUE, 0, 1.24829336, -1];
    expect([...parse([[numbers.slice(0, 2), numbers.slice(2, 4), numbers.slice(4)]])]).toEqual(numbers);
  });

  test("a single sequence is parsed into its place and nowhere else", () => {
    const out = new Float64Array(12);
    parseSequence([[7, 8]], ["sequence"], SHAPE, out, 6);
    expect([...out]).toEqual([0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 7, 8]);
  });

  const good = [[1, 2]];
  test.each<[value: unknown, sentence: string, path: (string | number)[]]>([
    [null, "sequences must be an array of sequences, got null", ["sequences"]],
    [{ length: 1 }, "sequences must be an array of sequences, got an object", ["sequences"]],
    ["[[1,2]]", 'sequences must be an array of sequences, got "[[1,2]]"', ["sequences"]],
    [[], "sequences must hold at least one sequence, got an empty array", ["sequences"]],
    [[good, 5], "sequences[1] must be an array of up to 3 rows, got 5", ["sequences", 1]],
    [[good, []], "sequences[1] must have 1 to 3 rows, got an empty array", ["sequences", 1]],
    [[[...good, ...good, ...good, ...good]], "sequences[0] must have at most 3 rows, got 4", ["sequences", 0]],
    [[[1, 2]], "sequences[0][0] must be an array of 2 numbers, got 1", ["sequences", 0, 0]],
    [[[[1, 2], null]], "sequences[0][1] must be an array of 2 numbers, got null", ["sequences", 0, 1]],
    [[[[1, 2], [3]]], "sequences[0][1] must have 2 numbers, got 1", ["sequences", 0, 1]],
    [[[[1, 2, 3]]], "sequences[0][0] must have 2 numbers, got 3", ["sequences", 0, 0]],
    [[[[]]], "sequences[0][0] must have 2 numbers, got 0", ["sequences", 0, 0]],
    [[[[1, null]]], "sequences[0][0][1] must be a finite number, got null", ["sequences", 0, 0, 1]],
    [[[["1", 2]]], 'sequences[0][0][0] must be a finite number, got "1"', ["sequences", 0, 0, 0]],
    [[[[1, true]]], "sequences[0][0][1] must be a finite number, got true", ["sequences", 0, 0, 1]],
    [[[[1, [2]]]], "sequences[0][0][1] must be a finite number, got an array of 1", ["sequences", 0, 0, 1]],
    [[[[1, Number.NaN]]], "sequences[0][0][1] must be a finite number, got NaN", ["sequences", 0, 0, 1]],
    [JSON.parse("[[[1,1e999]]]"), "sequences[0][0][1] must be a finite number, got Infinity", ["sequences", 0, 0, 1]],
    [[[[1, -1 / 0]]], "sequences[0][0][1] must be a finite number, got -Infinity", ["sequences", 0, 0, 1]],
    [[[[1, 2n]]], "sequences[0][0][1] must be a finite number, got 2", ["sequences", 0, 0, 1]],
    [[[[1, "x".repeat(1e6)]]], "sequences[0][0][1] must be a finite number, got a string of 1000000 characters", ["sequences", 0, 0, 1]],
  ])("names the place: %#", (value, sentence, path) => {
    const error = errorOf(() => parse(value));
    expect(error).toBeInstanceOf(SequenceError);
    expect(error).toMatchObject({ message: sentence, path, kind: "sequence" });
  });

  test("rejects a sequence with 11 rows where 10 is the longest", () => {
    const rows = Array.from({ length: 11 }, () => [1, 2, 3, 4, 5]);
    expect(errorOf(() => parse([rows], DEFAULT_SHAPE))).toMatchObject({ message: "sequences[0] must have at most 10 rows, got 11" });
    expect(parse([rows.slice(1)], DEFAULT_SHAPE)).toHaveLength(50);
  });

  test("rejects more sequences than allowed, before it looks at any", () => {
    const error = errorOf(() => parse(new Array(1001).fill(null)));
    expect(error).toBeInstanceOf(LimitError);
    expect(error).toMatchObject({
      message: "at most 1000 sequences a request, got 1001: send them in parts",
      path: ["sequences"],
      limit: 1000,
    });
    expect(parse(new Array(1000).fill(good))).toHaveLength(6000);
  });
});

describe("validRows", () => {
  // rows:       0 all zero, 1 data, 2 all zero, 3 one real zero, 4 all zero (−0)
  const values = [0, 0, 1, 2, 0, 0, 0, 3, -0, 0];
  const shape = { timesteps: 5, features: 2 };

  test.each<[Padding, number[]]>([
    ["leading", [1, 2, 3, 4]],
    ["any", [1, 3]],
    ["none", [0, 1, 2, 3, 4]],
  ])("%s padding keeps rows %j, in order", (padding, expected) => {
    const rows = new Int32Array(5).fill(-1);
    const length = validRows(Float64Array.from([9, 9, ...values]), 2, shape, padding, rows);
    expect([...rows.subarray(0, length)]).toEqual(expected);
  });

  test("a row of the mask alone is padding wherever it stands, compared as float32", () => {
    const masked = Float64Array.from([0.1, 0.1, 1, 0.1, Math.fround(0.1), 0.1, 0, 0, 2, 2]);
    const rows = new Int32Array(5);
    expect(validRows(masked, 0, { ...shape, mask: 0.1 }, "none", rows)).toBe(3);
    expect([...rows.subarray(0, 3)]).toEqual([1, 3, 4]);
    expect(validRows(masked, 0, { ...shape, mask: 0.1 }, "any", rows)).toBe(2);
  });

  test.each<[Padding, number]>([
    ["leading", 0],
    ["any", 0],
    ["none", 5],
  ])("a sequence of zeros has with %s padding the length %i", (padding, length) => {
    expect(validRows(new Float64Array(10), 0, shape, padding, new Int32Array(5))).toBe(length);
  });

  test("a zero row is zero in every feature, either sign of zero", () => {
    expect(isZeroRow(Float64Array.of(7, 0, -0, 7), 1, { features: 2 })).toBe(true);
    expect(isZeroRow(Float64Array.of(0, Number.MIN_VALUE), 0, { features: 2 })).toBe(false);
  });
});
