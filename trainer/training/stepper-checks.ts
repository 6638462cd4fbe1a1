// What every stepper refuses, whatever computes its steps: sizes that do not fit together.
// Legend: N sequences, T steps, C channels.
import type { StepperData, StepperOptions } from "./stepper.ts";

/** Throws RangeError where the data's sizes do not fit together, or a length is not 0 to T. */
export function checkData(
  { channels, lengths, labels, further }: StepperData,
  { channels: C, timesteps: T }: Pick<StepperOptions, "channels" | "timesteps">,
): void {
  const N = lengths.length;
  if (channels.length !== N * T * C) throw new RangeError(`channels must hold ${N} × ${T} × ${C} numbers, got ${channels.length}`);
  if (labels.length !== N) throw new RangeError(`labels must be ${N}, as many as lengths, got ${labels.length}`);
  if (further && further.labels.length !== further.count)
    throw new RangeError(`further labels must be ${further.count}, got ${further.labels.length}`);
  if (lengths.some((length) => length < 0 || length > T)) throw new RangeError(`lengths must be between 0 and ${T}`);
}

/** Throws RangeError where a step is given no sequence, or more than `maxBatch`. */
export function checkStep(indices: Int32Array, maxBatch: number): void {
  if (indices.length < 1 || indices.length > maxBatch)
    throw new RangeError(`a step takes 1 to ${maxBatch} sequences, got ${indices.length}`);
}

/** Throws RangeError where `values` are not `count` numbers. */
export function checkCount(name: string, values: Float32Array, count: number): void {
  if (values.length !== count) throw new RangeError(`${name} must be ${count} numbers, got ${values.length}`);
}
