// Tensors made of tensors, number by number: slow and obvious. Broadcasting: github.com/onnx/onnx/blob/main/docs/Broadcasting.md.
import type { Tensor } from "./node.ts";
import { misfit, OperatorError } from "./operator.ts";

/** Far above any batch of probes; a graph that asks for more is rejected. */
const MAX_NUMBERS = 10_000_000;

/** How many numbers a shape has. */
export function sizeOf(dims: readonly number[]): number {
  return dims.reduce((product, size) => product * size, 1);
}

/** An axis counted from the front, where a negative one counts from the back. */
export function axisOf(axis: number, rank: number): number {
  return axis < 0 ? axis + rank : axis;
}

/** A tensor of one axis. */
export function vector(values: readonly number[]): Tensor {
  return { dims: [values.length], data: Float64Array.from(values) };
}

/** A tensor of shape `dims` with the value of each index. Throws OperatorError above ten million numbers, or where one is NaN. */
export function build(dims: readonly number[], valueAt: (index: number[]) => number): Tensor {
  const size = sizeOf(dims);
  if (!(size <= MAX_NUMBERS)) throw new OperatorError(`makes ${size} numbers`, `expected at most ${MAX_NUMBERS}`);
  const data = new Float64Array(size);
  const index = dims.map(() => 0);
  for (let i = 0; i < size; i++) {
    data[i] = valueAt(index);
    for (let d = dims.length - 1; d >= 0 && ++index[d] === dims[d]; d--) index[d] = 0;
  }
  if (data.some(Number.isNaN)) misfit();
  return { dims, data };
}

/** The same numbers in another shape. Throws OperatorError where the shape has another number of them. */
export function reshape({ data }: Tensor, dims: readonly number[]): Tensor {
  return sizeOf(dims) === data.length ? { dims, data } : misfit();
}

/** The number at `index`. A tensor of lower rank takes the last axes of the index, and an axis of size 1 is repeated. */
export function at({ dims, data }: Tensor, index: readonly number[]): number {
  const skipped = index.length - dims.length;
  let offset = 0;
  for (let d = 0; d < dims.length; d++) offset = offset * dims[d] + (dims[d] === 1 ? 0 : index[skipped + d]);
  return data[offset];
}

/** The shape that both shapes are repeated to. Throws OperatorError where there is none. */
export function broadcast(a: readonly number[], b: readonly number[]): number[] {
  const rank = Math.max(a.length, b.length);
  return Array.from({ length: rank }, (_, d) => {
    const [x, y] = [a[d - rank + a.length] ?? 1, b[d - rank + b.length] ?? 1];
    return x === 1 ? y : y === 1 || x === y ? x : misfit();
  });
}
