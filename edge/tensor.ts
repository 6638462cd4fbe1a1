// (N,t,F) little-endian numbers in bytes ⇄ the (N,T,F) float64 buffer that is scored; t ≤ T, as shorter JSON sequences are.
// Knows no protocol: whoever has bytes says how they are shaped and where they stand.
import { describe, LimitError, type Path, SequenceError } from "../shared/errors.ts";
import type { Shape } from "../shared/sequence.ts";

export type Dtype = "float32" | "float64";
export const BYTES_PER_NUMBER = { float32: 4, float64: 8 } as const;

/** `length` numbers from `at` on, exactly: float32 widens without rounding. */
export function readNumbers(bytes: Uint8Array<ArrayBuffer>, at: number, length: number, dtype: Dtype): Float64Array {
  const width = BYTES_PER_NUMBER[dtype];
  const from = bytes.byteOffset + at;
  // The platform's own arrays are little-endian on every host of WebAssembly that there is, but must start at a multiple of their width.
  const [buffer, start] = from % width === 0 ? [bytes.buffer, from] : [bytes.slice(at, at + length * width).buffer, 0];
  return dtype === "float64" ? new Float64Array(buffer, start, length) : Float64Array.from(new Float32Array(buffer, start, length));
}

/**
 * `numbers` (N,t,F) as the model takes them: checked, with zeros in front of shorter sequences. `pathOf` names a number's place
 * from its index. Throws SequenceError, and LimitError above `maxSequences`.
 */
export function alignTensor(
  numbers: Float64Array,
  shape: readonly number[],
  { timesteps: T, features: F }: Shape,
  maxSequences: number,
  path: Path,
  pathOf: (index: number) => Path,
): Float64Array {
  const [N, t] = shape;
  if (shape.length !== 3 || shape[2] !== F || !(N >= 1) || !(t >= 1 && t <= T))
    throw new SequenceError(path, `must have shape [sequences, 1 to ${T} steps, ${F} features]`, `[${shape.join(", ")}]`);
  if (N > maxSequences)
    throw new LimitError(path, `at most ${maxSequences} sequences a request, got ${N}: send them in parts`, maxSequences);
  for (let i = 0; i < numbers.length; i++)
    if (!Number.isFinite(numbers[i])) throw new SequenceError(pathOf(i), "must be a finite number", describe(numbers[i]));
  if (t === T) return numbers;
  const values = new Float64Array(N * T * F);
  for (let n = 0; n < N; n++) values.set(numbers.subarray(n * t * F, (n + 1) * t * F), (n * T + T - t) * F);
  return values;
}
