// The baseline setup: how somebody trained, in the words of --tried: scaled,mask,adam,lr=0.1,batch=32,units=64,epochs=5. Unsaid is the plain script.
import { UsageError } from "../../shared/errors.ts";

export interface BaselineSetup {
  /** Each feature standardised over the training part's valid rows. */
  readonly scaled: boolean;
  /** Keras' Masking(0). */
  readonly masked: boolean;
  readonly optimizer: "adam" | "rmsprop";
  readonly learningRate: number;
  readonly batch: number;
  readonly units: number;
  /** Undefined: until the loss stopped falling. */
  readonly epochs?: number;
}

/** LSTM(100), raw inputs, no masking, Keras' RMSprop, batch 1000. */
export const PLAIN_SETUP: BaselineSetup = {
  scaled: false,
  masked: false,
  optimizer: "rmsprop",
  learningRate: 1e-3,
  batch: 1000,
  units: 100,
};

const WORDS: Readonly<Record<string, Partial<BaselineSetup>>> = {
  scaled: { scaled: true },
  mask: { masked: true },
  adam: { optimizer: "adam" },
  rmsprop: { optimizer: "rmsprop" },
};

const NUMBERS = {
  lr: { key: "learningRate", low: 1e-12, high: 1e3, whole: false },
  batch: { key: "batch", low: 1, high: 1_000_000, whole: true },
  units: { key: "units", low: 1, high: 1024, whole: true },
  epochs: { key: "epochs", low: 1, high: 100_000, whole: true },
} as const;

/** Words separated by commas, upon PLAIN_SETUP. Throws UsageError naming the word that is unknown or whose number is out of range. */
export function parseBaselineSetup(text: string): BaselineSetup {
  let setup = PLAIN_SETUP;
  for (const word of text.split(",").map((part) => part.trim().toLowerCase())) {
    if (word === "") continue;
    if (Object.hasOwn(WORDS, word)) {
      setup = { ...setup, ...WORDS[word] };
      continue;
    }
    const [name, value, ...rest] = word.split("=");
    if (!Object.hasOwn(NUMBERS, name) || value === undefined || rest.length > 0)
      throw new UsageError(
        `--tried knows ${[...Object.keys(WORDS), ...Object.keys(NUMBERS).map((key) => `${key}=N`)].join(", ")}, got ${JSON.stringify(word)}`,
      );
    const { key, low, high, whole } = NUMBERS[name as keyof typeof NUMBERS];
    const number = value === "" ? Number.NaN : Number(value);
    if (!(number >= low && number <= high) || (whole && !Number.isInteger(number)))
      throw new UsageError(`--tried ${name} must be a ${whole ? "whole " : ""}number from ${low} to ${high}, got ${JSON.stringify(value)}`);
    setup = { ...setup, [key]: number };
  }
  return setup;
}

/** `LSTM(100), raw inputs, no masking, rmsprop 0.001, batch 1000` */
export function describeBaselineSetup({ scaled, masked, optimizer, learningRate, batch, units, epochs }: BaselineSetup): string {
  const parts = [
    `LSTM(${units})`,
    scaled ? "scaled inputs" : "raw inputs",
    masked ? "masking" : "no masking",
    `${optimizer} ${learningRate}`,
    `batch ${batch}`,
  ];
  if (epochs !== undefined) parts.push(`${epochs} epochs`);
  return parts.join(", ");
}
