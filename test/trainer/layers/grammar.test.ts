import { describe, expect, test } from "vitest";
import { parseLayers } from "../../../trainer/layers/grammar.ts";

const parse = (text: string) => parseLayers(text, "--layers");

test("a recurrent layer hands on every row where a layer behind it needs rows, else its last state", () => {
  expect(parse("bilstm:64, lstm:32, dense:16:relu")).toEqual([
    { kind: "recurrent", cell: "lstm", both: true, units: 64, returns: "sequence" },
    { kind: "recurrent", cell: "lstm", both: false, units: 32, returns: "state" },
    { kind: "dense", units: 16, activation: { kind: "relu" } },
  ]);
  expect(parse("gru:8,dense:4,dropout:0.5,max")[0]).toMatchObject({ returns: "sequence" });
  expect(parse("conv1d:8:3:relu,batchnorm,rnn:4,layernorm")[2]).toMatchObject({ cell: "rnn", returns: "state" });
});

describe("says the layer and the character of what is wrong:", () => {
  test.each([
    ["", "--layers, layer 1 (character 1): must begin with one of lstm, bilstm, gru"],
    [
      "lstm:8,lstn:4",
      "--layers, layer 2 (character 8): must begin with one of lstm, bilstm, gru, bigru, rnn, birnn, dense, conv1d, mean, max, last, dropout, batchnorm, layernorm, got lstn:4",
    ],
    ["toString:3", "layer 1 (character 1): must begin with one of"],
    ["lstm", "layer 1 (character 1): lstm needs its units, a whole number from 1 to 1024, got lstm"],
    ["lstm:8,  dense:0", "layer 2 (character 10): dense needs its units, a whole number from 1 to 1024, got dense:0"],
    ["lstm:1025", "lstm needs its units, a whole number from 1 to 1024, got lstm:1025"],
    ["lstm:8:relu", "lstm takes at most 1 value, got lstm:8:relu"],
    [
      "lstm:8,dense:4:rely",
      "layer 2 (character 8): the activation must be one of linear, relu, elu, selu, silu, tanh, sigmoid, softplus, softsign, got dense:4:rely",
    ],
    ["conv1d:8,max", "conv1d needs its rows, a whole number from 1 to 64, as value 2, got conv1d:8"],
    ["lstm:8,max:2", "layer 2 (character 8): max takes no value, got max:2"],
    ["lstm:8,dropout:1", "dropout needs the share that is dropped, above 0 and below 1, got dropout:1"],
    ["lstm:8,,dense:3", "layer 2 (character 8): must begin with one of"],
    ["max,lstm:8", "layer 2 (character 5): lstm needs rows, and max before it (layer 1) has left one, got lstm:8"],
    [
      "dense:8",
      "layer 1 (character 1): every row is left behind the last layer: add mean, max or last where one is to be made of all, got dense:8",
    ],
    ["lstm:4,conv1d:8:3,dense:2", "layer 3 (character 19): every row is left behind the last layer"],
    [Array(25).fill("dense:2").join(), "--layers must be at most 24 layers, got 25"],
  ])("%s", (text, sentence) => {
    expect(() => parse(text)).toThrow(sentence);
  });
});
