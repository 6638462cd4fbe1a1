import { expect, test } from "vitest";
import { describeBaselineSetup, PLAIN_SETUP, parseBaselineSetup } from "../../../trainer/diagnosis/setup.ts";

test("nothing said is the plain script: LSTM(100), raw, unmasked, RMSprop 1e-3, batch 1000", () => {
  expect(parseBaselineSetup("")).toEqual(PLAIN_SETUP);
  expect(describeBaselineSetup(PLAIN_SETUP)).toBe("LSTM(100), raw inputs, no masking, rmsprop 0.001, batch 1000");
});

test("every word counts, in any order and case", () => {
  expect(parseBaselineSetup(" Scaled,adam, lr=0.1,batch=32,units=64,mask,epochs=5")).toEqual({
    scaled: true,
    masked: true,
    optimizer: "adam",
    learningRate: 0.1,
    batch: 32,
    units: 64,
    epochs: 5,
  });
});

test.each([
  ["sgd", "sgd"],
  ["lr", "lr"],
  ["lr=", "lr"],
  ["lr=fast", "lr"],
  ["lr=0", "lr"],
  ["batch=1.5", "batch"],
  ["units=0", "units"],
  ["units=1=2", "units"],
  ["constructor", "constructor"],
])("%s is refused in a sentence that names it", (text, name) => {
  expect(() => parseBaselineSetup(text)).toThrow(expect.objectContaining({ kind: "usage", message: expect.stringContaining(name) }));
});
