// What an importer hands over, whatever the format: the network in our layout, what stands in front of it, and the source's own
// forward pass to hold it against. Knows no format.
// Legend: T steps, F features, U units.
import { DataError } from "../../shared/errors.ts";
import type { Network } from "../../shared/networks/lstm.ts";
import type { Padding } from "../../shared/sequence.ts";
import type { Own } from "./own.ts";

export interface Found {
  /** `Keras 3 (.keras)` */
  readonly format: string;
  /** What was found, and what had to be assumed: one line each. */
  readonly lines: readonly string[];
  /** Where the file says it. */
  readonly timesteps: number | null;
  readonly padding: Padding;
  readonly front: Front;
  readonly network: Network;
  /**
   * The format's definition in float64, from the file's own arrays: `rows` (T,F) → probability. Shares no code with the network
   * above. Rows are as the model itself takes them, zero rows among them; only the valid ones where padding is `leading`; and
   * where `own` is given, channels instead.
   */
  forward(rows: Float64Array): number;
  /** What only quickstep's own exports carry. */
  readonly own?: Own;
}

/** (x − mean) / scale for each feature, then its sign: scales are above 0, as a recipe wants them. (F) each. */
export interface Front {
  readonly mean: Float64Array;
  readonly scale: Float64Array;
  readonly sign: Float64Array;
}

export function plainFront(F: number): Front {
  return { mean: new Float64Array(F), scale: new Float64Array(F).fill(1), sign: new Float64Array(F).fill(1) };
}

/** `front`, then (x − mean) / scale with scales of any sign but 0. A scaler alone keeps its bits. */
export function addFront(front: Front, mean: ArrayLike<number>, scale: ArrayLike<number>): Front {
  const F = front.mean.length;
  const features = Array.from({ length: F }, (_, f) => f);
  return {
    mean: Float64Array.from(features, (f) => front.mean[f] + front.sign[f] * front.scale[f] * mean[f]),
    scale: Float64Array.from(features, (f) => front.scale[f] * Math.abs(scale[f])),
    sign: Float64Array.from(features, (f) => front.sign[f] * Math.sign(scale[f])),
  };
}

/** The signs of a front go into the network's kernel, which is exact. */
export function absorbSigns(network: Network, { sign }: Front): Network {
  const width = 4 * network.units;
  return { ...network, kernel: network.kernel.map((weight, at) => weight * sign[Math.floor(at / width)]) };
}

/** Refuses by name: what it is, and what would be needed. */
export function refuse(source: string, what: string, remedy: string): never {
  throw new DataError(source, printable(`${what}: ${remedy}`));
}

/** Names come from the file: no control characters reach a terminal, and no page of text. */
export function printable(text: string): string {
  const line = text.replace(/\p{Cc}+/gu, " ");
  return line.length > MAX_LINE ? `${line.slice(0, MAX_LINE)}…` : line;
}

const MAX_LINE = 500;

export const MAX_UNITS = 4096; // as an artifact holds them

export function sigmoid(x: number): number {
  return 1 / (1 + Math.exp(-x));
}
