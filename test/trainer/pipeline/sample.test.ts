// What every learner learns from where there are very many sequences, and what is left for networks.
import { expect, test } from "vitest";
import { takeSample } from "../../../trainer/pipeline/sample.ts";

const range = (from: number, to: number): Int32Array => Int32Array.from({ length: to - from }, (_, i) => from + i);

test("the sample is spread evenly over what is learnt from, and with the rest it is all of it; what is held out stays", () => {
  const [open, gap, heldOut] = [range(0, 70), range(70, 80), range(80, 100)];
  const { folds, sample, rest } = takeSample([{ train: open, heldOut }], range(0, 100), 30);
  const [{ train, heldOut: kept }] = folds;
  expect(folds).toHaveLength(1);
  expect(train).toHaveLength(30);
  expect(kept).toEqual(heldOut);
  expect(Int32Array.from([...train, ...rest]).sort()).toEqual(open);
  expect(sample).toEqual(Int32Array.from([...train, ...gap, ...heldOut]).sort());
  const steps = train.slice(1).map((n, i) => n - train[i]);
  expect([Math.min(...steps), Math.max(...steps)]).toEqual([2, 3]);
});

test("few sequences, and several folds, stay as they are", () => {
  const all = range(0, 40);
  const one = [{ train: range(0, 30), heldOut: range(30, 40) }];
  expect(takeSample(one, all, 30)).toEqual({ folds: one, sample: all, rest: new Int32Array(0) });
  const two = [...one, { train: range(10, 40), heldOut: range(0, 10) }];
  expect(takeSample(two, all, 5)).toEqual({ folds: two, sample: all, rest: new Int32Array(0) });
});
