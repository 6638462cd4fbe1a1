import { describe, expect, test } from "vitest";
import { baseRateFloors, judgeHistory } from "../../../trainer/diagnosis/history.ts";
import { describeHistory } from "../../../trainer/diagnosis/history-sentences.ts";
import { type History, readHistory } from "../../../trainer/diagnosis/training-log.ts";

const read = (text: string) => readHistory(new TextEncoder().encode(text), "log.csv");
const quarter = { positiveRate: 0.25, examples: 100_000 };
/** A curve from `from` that settles at `to`, with noise below 0.1 %. */
const settling = (from: number, to: number, epochs = 20) =>
  Array.from({ length: epochs }, (_, e) => to + (from - to) * Math.exp(-3 * e) + 4e-4 * Math.sin(7 * e));
const judge = (history: History, more = {}) => {
  const verdict = judgeHistory(history, { ...quarter, ...more });
  return { ...verdict, sentences: describeHistory(verdict) };
};

test("guessing costs 0.562, 0.693 and 1.040 at one 1 in four", () => {
  expect(baseRateFloors(0.25).map(({ loss }) => loss.toFixed(3))).toEqual(["0.562", "0.693", "1.040"]);
  expect(baseRateFloors(0.25)[2].weights).toBe("with {0: 1, 1: 3}");
});

describe("reads", () => {
  test("what CSVLogger writes, whatever else it logged", () => {
    const log =
      "epoch,accuracy,learning_rate,loss,val_accuracy,val_loss\r\n0,0.7436000108718872,0.001,0.5712,0.75,0.5625\r\n1,0.75,0.001,0.5626,NA,nan\r\n";
    expect(read(log)).toEqual({
      loss: [0.5712, 0.5626],
      accuracy: [0.7436000108718872, 0.75],
      valLoss: [0.5625, Number.NaN],
      valAccuracy: [0.75, Number.NaN],
    });
  });
  test("older names, another separator, a byte order mark", () => {
    expect(read("\uFEFFepoch;acc;loss\n0;0.7;0.6\n")).toEqual({ loss: [0.6], accuracy: [0.7], valLoss: undefined, valAccuracy: undefined });
  });
  test("two columns: epoch and loss, or loss and val_loss", () => {
    expect(read("0,0.6\n1,0.5\n")).toEqual({ loss: [0.6, 0.5] });
    expect(read("1,0.6\n2,0.5\n")).toEqual({ loss: [0.6, 0.5] });
    expect(read("0.6,0.61\n0.5,0.59\n")).toEqual({ loss: [0.6, 0.5], valLoss: [0.61, 0.59] });
  });
});

describe("names the place of what cannot be read", () => {
  test.each([
    ["", "log.csv: holds no epoch"],
    ["epoch,loss\n", "log.csv: holds no epoch"],
    ["epoch,accuracy\n0,0.5\n", "log.csv: has the columns epoch, accuracy, expected one named loss"],
    ["0,0.5,0.6\n", "log.csv: has 3 columns and no header, expected two"],
    ["0.5\n", "log.csv: has 1 column and no header, expected two"],
    ["epoch,loss\n0,0.5\n1\n", "log.csv: line 3: has 1 columns, expected 2"],
    ["epoch,loss\n0,0.5\n\n1,half\n", 'log.csv: line 4: loss is "half", expected a number'],
    ["epoch,loss\n0,0.5\n1,half\n", 'log.csv: line 3: loss is "half", expected a number'],
    ['epoch,loss\n0,"0.5\n', "log.csv: cannot be read as CSV"],
    ["\u0000\u0001PNG", "log.csv: has the columns"],
  ])("%j", (text, message) => expect(() => read(text)).toThrow(message));
});

describe("says whether the curve ever left the base rate", () => {
  test("the plateau of the plain script never did", () => {
    const { code, best, sentences } = judge({ loss: settling(0.6, 0.5625), valLoss: settling(0.57, 0.5612) });
    expect(code).toBe("flat");
    expect(best.loss).toBeCloseTo(0.561, 3);
    expect(sentences[0]).toContain("never left the base rate");
    expect(sentences[0]).toContain(
      "guessing alone gives 0.562 (0.562 without class weights, 0.693 with balanced class weights, 1.040 with {0: 1, 1: 3})",
    );
  });
  test.each([
    ["balanced weights", 0.6935, 0.6929],
    ["weights {0: 1, 1: 3}", 1.0397, 0.6929],
  ])("nor did one with %s, whose validation loss is not weighted", (_, loss, valLoss) => {
    expect(judge({ loss: settling(1.2, loss), valLoss: settling(0.7, valLoss) }).code).toBe("flat");
    expect(judge({ loss: settling(1.2, loss) }).code).toBe("flat");
  });
  test.each([
    ["unweighted", 0.43, 0.44],
    ["balanced weights", 0.55, 0.55],
  ])("one that learnt has, %s", (_, loss, valLoss) => {
    const { code, sentences } = judge({ loss: settling(0.6, loss), valLoss: settling(0.57, valLoss) });
    expect(code).toBe("left");
    expect(sentences[0]).toContain("left the base rate: its best is");
  });
  test("between two floors it depends on the weights, above all of them nothing was learnt, not even the base rate", () => {
    expect(judge({ loss: settling(0.7, 0.62) }).code).toBe("unclear");
    expect(judge({ loss: settling(3, 1.9) }).code).toBe("above");
  });
  test("a validation part of few sequences has a positive rate of its own: 2 % below is no news", () => {
    const history = { loss: settling(0.6, 0.56), valLoss: settling(0.57, 0.552) };
    expect(judge(history, { examples: 2_000 }).code).toBe("flat");
    expect(judge(history).code).toBe("left");
  });
  test("a loss that is no number any more diverged", () => {
    const { code, sentences } = judge({ loss: [0.7, 3.1, Number.NaN, Number.NaN] });
    expect(code).toBe("diverged");
    expect(sentences[0]).toContain("from epoch 3 of 4 on");
  });
});

describe("says what the figures beside it mean", () => {
  const valLoss = settling(0.57, 0.5612);
  const loss = settling(0.6, 0.5625);

  test("an accuracy that is the majority's", () => {
    expect(judge({ loss, valLoss, valAccuracy: valLoss.map(() => 0.7512) }).accuracyIsMajority).toBe(true);
    expect(judge({ loss, valLoss, valAccuracy: valLoss.map(() => 0.79) }).accuracyIsMajority).toBe(false);
    expect(judge({ loss, valLoss }).accuracyIsMajority).toBe(false);
  });

  test("a curve that is still falling, and one that is not", () => {
    const falling = Array.from({ length: 12 }, (_, e) => 0.56 - 0.008 * e + 5e-4 * Math.sin(5 * e));
    expect(judge({ loss: falling }).stillFalling).toBe(true);
    expect(judge({ loss, valLoss }).stillFalling).toBe(false);
  });

  test("a validation loss that rises while the training loss falls", () => {
    const train = Array.from({ length: 30 }, (_, e) => 0.56 - 0.012 * e);
    const validation = train.map((_, e) => 0.48 + 0.0008 * (e - 8) ** 2);
    const { overfit, sentences } = judge({ loss: train, valLoss: validation });
    expect(overfit).toBe(true);
    expect(sentences.some((text) => text.includes("rises from epoch 9 on"))).toBe(true);
    expect(judge({ loss: settling(0.6, 0.43), valLoss: settling(0.57, 0.44) }).overfit).toBe(false);
  });

  describe("that the validation part was the test part", () => {
    const testLabels = Uint8Array.from({ length: 2351 }, (_, n) => (n % 4 === 0 ? 1 : 0));
    const counted = (N: number, hits: readonly number[]) => hits.map((k) => Math.fround(Math.round(k * N) / N));
    const accuracies = [0.74, 0.761, 0.772, 0.775];
    const seen = (valAccuracy: number[]) => judge({ loss, valLoss, valAccuracy }, { testLabels }).validationIsTest;

    test("by accuracies that only so many sequences give", () => {
      expect(seen(counted(2351, accuracies))).toBe(true);
      expect(seen(counted(2350, accuracies))).toBe(false);
      expect(seen(accuracies)).toBe(false);
    });
    test("on the plateau, by exactly its majority", () => {
      expect(seen(counted(2351, [1763 / 2351, 1763 / 2351]))).toBe(true);
      expect(seen(counted(2351, [1760 / 2351, 1760 / 2351]))).toBe(false);
    });
    test("not by a part of half its size", () => {
      const labels = testLabels.slice(0, 2350);
      expect(judge({ loss, valLoss, valAccuracy: counted(1175, accuracies) }, { testLabels: labels }).validationIsTest).toBe(false);
    });
    test("not without a test part", () =>
      expect(judge({ loss, valLoss, valAccuracy: counted(2351, accuracies) }).validationIsTest).toBe(false));
  });
});
