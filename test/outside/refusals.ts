// What `import` cannot read: by suite, the sentence that refuses the file (of it, what does not name a layer by number), and the cases. Whatever
// learns to read a case deletes its name here: a case of this table that is read is a failing test.
export const EXPECTED_REFUSALS: Readonly<Record<"keras" | "tensorflow" | "torch", Readonly<Record<string, readonly string[]>>>> = {
  keras: {
    // Keras' export leaves the layer's means out of the file
    "as an input beside the sequences: numbers that a layer has, which the export left out of the file": ["Normalization, LSTM, onnx"],
  },
  tensorflow: {
    "carries the states of several cells": ["dynamic_rnn of two LSTMCells, onnx"],
  },
  torch: {
    "joins layers of several numbers of rows": ["squeeze and excitation, newer exporter", "squeeze and excitation, older exporter"],
    "weights each step by 3 softmaxes over steps": ["attention, three heads, newer exporter", "attention, three heads, older exporter"],
    "computes each step by nodes of its own": [
      "RNN, newer exporter",
      "GRUCell in a loop, newer exporter",
      "GRUCell in a loop, older exporter",
    ],
    "is a PyTorch file with a pickle in it": ["LSTM, torch.save"],
  },
};
