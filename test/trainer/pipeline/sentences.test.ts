// What notes of a training run say, where a sentence was once unclear or counted something else.
import { expect, test } from "vitest";
import type { TrainNote } from "../../../trainer/pipeline/note.ts";
import { findGaps } from "../../../trainer/pipeline/prepare.ts";
import { describeNote, describeVerdict } from "../../../trainer/pipeline/sentences.ts";
import type { LabelledDataset } from "../../../trainer/readers/dataset.ts";

test("what is given once a sequence lacks one number a sequence, and not one a row", () => {
  const [N, T] = [4, 3];
  const gap = Number.NaN;
  const ofRow = (n: number, t: number): number[] => [n === 1 && t === 0 ? gap : 1 + n + t, n === 2 ? gap : 40 + n];
  const rows = Array.from({ length: N * T }, (_, i) => ofRow(Math.floor(i / T), i % T)).flat();
  const data = { shape: { timesteps: T, features: 2, statics: 1 }, test: null } as unknown as LabelledDataset;
  const notes: TrainNote[] = [];
  const usable = { values: Float64Array.from(rows), labels: new Uint8Array(N), probability: null };
  const options = { seed: 1, split: "auto", horizon: 1, recipe: "auto" } as const;
  expect(findGaps(data, usable, "leading", Int32Array.of(0, 1, 2, 3), options, (note) => notes.push(note))).toEqual([0, 1]);
  expect(describeNote(notes[0], ["close", "age"])).toMatch(
    /^missing in the training part: 1 of close \(8\.3 %\), 1 of age \(25\.0 % of the sequences\); filled by/,
  );
  const windows = { ...data, timeline: {} } as unknown as LabelledDataset;
  findGaps(windows, usable, "leading", Int32Array.of(0, 1, 2, 3), options, (note) => notes.push(note));
  expect(describeNote(notes[1], ["close", "age"])).toContain("training part (a row counts in each window that holds it): 1 of close");
});

test("a search that chose less than levels and deltas gain says why", () => {
  const losses = { code: "search-losses", baseRate: 0.5633, plain: 0.5413 } as const;
  expect(describeNote({ ...losses, chosen: 0.53 }, [])).toBe(
    "held-out log loss in the search: base rate 0.5633, levels and deltas 0.5413, chosen 0.5300",
  );
  expect(describeNote({ ...losses, chosen: 0.5505 }, [])).toBe(
    "held-out log loss in the search: base rate 0.5633, levels and deltas 0.5413, chosen 0.5505 (what levels and deltas gain by comparison is no more than chance would bring)",
  );
});

test("the verdict names no test part where every sequence is judged in turn", () => {
  const few = { code: "too-few-examples", logLoss: 0.5, baseRateLogLoss: 0.5, label: 1, count: 9, inTraining: 9 } as const;
  const nested = describeVerdict({ ...few, inTest: 9, canLearn: false, canJudge: true }, []);
  expect(`${nested.text} ${nested.next}`).not.toContain("test part");
  expect(describeVerdict({ ...few, inTest: 2, canLearn: false, canJudge: false }, []).text).toContain("9 1s, 2 of them in the test part");
});
