// (N,t,F) little-endian numbers in bytes ⇄ the (N,T,F) float64 buffer that is scored; t ≤ T, as shorter JSON sequences are.
// Knows no protocol: whoever has bytes says how they are shaped and where they stand.
import { describe, LimitError, type Path, SequenceError } from "../../shared/errors.ts";
import { featureAdvice, mayLack, numberRule, type Shape } from "../../shared/sequence.ts";

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

/** Whether `shape` is (N,t,F). Throws SequenceError, and LimitError above `maxSequences`. */
export function checkShape(shape: readonly number[], taken: Shape, maxSequences: number, path: Path): void {
  const { timesteps: T, features: F } = taken;
  const [N, t] = shape;
  if (shape.length !== 3 || shape[2] !== F || !(N >= 1) || !(t >= 1 && t <= T)) {
    const got = shape.length > 8 ? `${shape.length} dimensions` : `[${shape.join(", ")}]`;
    throw new SequenceError(path, `must have shape [sequences, 1 to ${T} steps, ${F} features]${featureAdvice(taken)}`, got);
  }
  if (N > maxSequences)
    throw new LimitError(path, `at most ${maxSequences} sequences a request, got ${N}: send them in parts`, maxSequences);
}

/**
 * `numbers` (N,t,F), of a checked shape, as the model takes them: finite or NaN where numbers may be missing, with zeros in front of shorter sequences. `pathOf`
 * names a number's place from its index. Throws SequenceError.
 */
export function alignTensor(numbers: Float64Array, [N, t]: readonly number[], shape: Shape, pathOf: (index: number) => Path): Float64Array {
  const { timesteps: T, features: F } = shape;
  for (let i = 0; i < numbers.length; i++) {
    if (Number.isFinite(numbers[i])) continue;
    const gaps = mayLack(shape, i % F);
    if (!gaps || !Number.isNaN(numbers[i])) throw new SequenceError(pathOf(i), `must be ${numberRule({ gaps })}`, describe(numbers[i]));
  }
  if (t === T) return numbers;
  const values = new Float64Array(N * T * F);
  for (let n = 0; n < N; n++) values.set(numbers.subarray(n * t * F, (n + 1) * t * F), (n * T + T - t) * F);
  return values;
}
