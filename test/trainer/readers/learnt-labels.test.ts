// Labels of other data in the words of a model: what it learnt says which of them is 1.
import { expect, test } from "vitest";
import { createLabelCodes, type LabelMeaning, type LabelValue } from "../../../trainer/readers/labels.ts";

function settle(learnt: LabelMeaning | undefined, given: readonly LabelValue[], positive?: string): number[] {
  const codes = createLabelCodes({ positive, learnt, areNumbersValues: true });
  const labels = Uint8Array.from(given, (value) => (value === 0 || value === 1 ? value : codes.code(value, "y", "data.csv")!));
  return Array.from(codes.settle([labels] as const, "data.csv").parts[0]);
}

const aOverB: LabelMeaning = { one: "a", zero: "b", values: ["b", "a"] };
const plain: LabelMeaning = { one: 1, zero: 0, values: [0, 1] };
const rest: LabelMeaning = { one: "b", zero: null, values: ["a", "b", "c"] };

test.each<[LabelMeaning, LabelValue[], number[]]>([
  [aOverB, ["a", "b", "a"], [1, 0, 1]], // by alphabet b would be 1
  [aOverB, ["b"], [0]],
  [aOverB, [" A"], [1]],
  [{ one: 1, zero: 2, values: [1, 2] }, [1, 2], [1, 0]],
  [{ one: 0, zero: 1, values: [0, 1] }, [0, 1], [1, 0]],
  [{ one: "No", zero: "Yes", values: ["Yes", "No"] }, ["no", "yes"], [1, 0]],
  [plain, ["True", "False"], [1, 0]],
  [plain, ["1", "0"], [1, 0]],
  [plain, [0], [0]],
  [rest, ["c", "b"], [0, 1]],
  [rest, ["a"], [0]],
])("%j takes %j as %j", (learnt, given, labels) => {
  expect(settle(learnt, given)).toEqual(labels);
});

test.each<[LabelMeaning, LabelValue[], string]>([
  [
    aOverB,
    ["yes", "no"],
    'holds the labels "yes", "no", but the model learnt "b", "a", of which 1 is "a": say which label is 1 with --positive',
  ],
  [plain, [-1, 1], "holds the labels 1, -1, but the model learnt 0, 1, of which 1 is 1"],
  [aOverB, ["a", "A"], 'holds the labels "a", "A", but the model learnt "b", "a"'],
  [rest, ["d", "b"], 'holds the labels "d", "b", but the model learnt "a", "b", "c"'],
])("%j refuses %j, naming both", (learnt, given, message) => {
  expect(() => settle(learnt, given)).toThrow(message);
});

test("--positive decides between words that the model did not learn, and numbers", () => {
  expect(settle(aOverB, ["yes", "no"], "yes")).toEqual([1, 0]);
  expect(settle(aOverB, ["a", "b"], "a")).toEqual([1, 0]);
  expect(settle(plain, [0, 1], "0")).toEqual([1, 0]);
});

test.each<[LabelMeaning, LabelValue[], string, string]>([
  [aOverB, ["a", "b"], "b", '--positive names "b", but the model learnt that "a" is 1: leave --positive out'],
  [aOverB, ["A", "B"], "B", '--positive names "B", but the model learnt that "a" is 1'],
  [rest, ["c", "b"], "c", '--positive names "c", but the model learnt that "b" is 1'],
])("%j of %j refuses a 1 that was a 0: %s", (learnt, given, positive, message) => {
  expect(() => settle(learnt, given, positive)).toThrow(message);
});

test("one word in two ways of writing is asked about, where nothing was learnt", () => {
  expect(() => settle(undefined, ["Yes", "yes"])).toThrow(
    'data.csv: holds the labels "Yes", "yes", which differ in capitals or spaces alone: write them alike, or say which is 1 with --positive',
  );
  expect(settle(undefined, ["Yes", "yes"], "yes")).toEqual([0, 1]);
  expect(settle(undefined, ["yes", "No"])).toEqual([1, 0]);
});
