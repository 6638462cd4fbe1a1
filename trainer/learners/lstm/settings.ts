// How a network is trained: settings that fit the data's size, and those that Keras users start from.

import type { LayerSpec } from "../../training/layer-spec.ts";

export interface LstmSettings {
  /** Of layers: of the widest. */
  readonly units: number;
  /** Other layers than one LSTM. */
  readonly layers?: readonly LayerSpec[];
  readonly batch: number;
  readonly epochs: number;
  readonly optimizer: "adam" | "rmsprop";
  readonly learningRate: number;
  readonly weightDecay: number;
  readonly schedule: "constant" | "cosine";
  /** Epochs without a better validation loss before the learning rate is halved. */
  readonly learningRatePatience: number;
  /** Epochs without a better validation loss before training stops. */
  readonly patience: number;
}

/** What Keras users start from, and the design's case: it is kept to be compared with. */
export const PLAIN_SETTINGS: LstmSettings = {
  units: 100,
  batch: 1000,
  epochs: 100,
  optimizer: "rmsprop",
  learningRate: 1e-3,
  weightDecay: 0,
  schedule: "constant",
  learningRatePatience: 3,
  patience: 10,
};

/**
 * Settings for so many training sequences: few, and a small network sees them many times in small batches; many, and a larger
 * one a few times in larger ones. Tuned once on synthetic data with other seeds than those that are reported.
 */
export function chooseSettings(examples: number, layers?: readonly LayerSpec[]): LstmSettings {
  const units = layers === undefined ? (examples < 3000 ? 16 : examples < 20_000 ? 32 : 64) : widestOf(layers);
  const epochs = Math.max(10, Math.min(40, Math.round(700_000 / examples)));
  return {
    units,
    ...(layers && { layers }),
    batch: examples < 10_000 ? 64 : 256,
    epochs,
    optimizer: "adam",
    learningRate: 4e-3 * Math.sqrt(64 / units) * (examples < 10_000 ? 0.5 : 1),
    weightDecay: 0.1,
    schedule: "cosine",
    learningRatePatience: epochs, // the schedule lowers the rate, and its last epochs are its best: whoever stops before misses them
    patience: epochs,
  };
}

/** Units or filters of the widest layer, one direction: wider ones learn by smaller steps. At least 16, as the smallest LSTM has. */
function widestOf(layers: readonly LayerSpec[]): number {
  const widths = layers.map((layer) => ("units" in layer ? layer.units : "filters" in layer ? layer.filters : 0));
  return Math.max(16, ...widths);
}
