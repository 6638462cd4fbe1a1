// Operators that reduce axes or slide over them, and what turns or pads them, in float64.
// Definitions: github.com/onnx/onnx/blob/main/docs/Operators.md, opsets 7 to 26.
import { anything, misfit, number, numbers, type Operator, OperatorError, operator } from "./operator.ts";
import { at, axisOf, build, reshape, sizeOf } from "./tensors.ts";

/** Reduces by `combine` from `start`, then `finish` with how many were reduced. */
function reduction(start: number, combine: (sum: number, x: number) => number, finish: (sum: number, count: number) => number): Operator {
  return operator({
    inputs: ["data", "axes?"],
    attributes: { axes: numbers, keepdims: number(1), noop_with_empty_axes: number(0) },
    evaluate([x, input], { axes = input && [...input.data], keepdims, noop_with_empty_axes }) {
      if (noop_with_empty_axes === 1 && !axes?.length) return [x];
      const reduced = axes?.length ? axes.map((axis) => axisOf(axis, x.dims.length)) : x.dims.map((_, d) => d);
      const kept = x.dims.map((size, d) => (reduced.includes(d) ? 1 : size));
      const out = build(kept, () => start);
      build(x.dims, (index) => {
        const target = kept.reduce((offset, size, d) => offset * size + (size === 1 ? 0 : index[d]), 0);
        out.data[target] = combine(out.data[target], at(x, index));
        return 0;
      });
      const count = reduced.reduce((product, d) => product * x.dims[d], 1);
      const data = out.data.map((value) => finish(value, count));
      const dims = kept.filter((_, d) => keepdims === 1 || !reduced.includes(d));
      return [{ dims, data }];
    },
  });
}

function globalPool(combine: (values: number[]) => number): Operator {
  return operator({
    inputs: ["X"],
    evaluate([x]) {
      const inside = sizeOf(x.dims.slice(2));
      const flat = reshape(x, [x.dims[0], x.dims[1], inside]);
      return [
        reshape(
          build([x.dims[0], x.dims[1]], ([n, c]) => combine(Array.from({ length: inside }, (_, k) => at(flat, [n, c, k])))),
          x.dims.map((size, d) => (d < 2 ? size : 1)),
        ),
      ];
    },
  });
}

export interface Windows {
  readonly kernel: readonly number[];
  readonly strides: readonly number[];
  readonly dilations: readonly number[];
  /** In front of and behind each axis. */
  readonly pads: readonly (readonly [number, number])[];
  readonly countsPads: boolean;
}

/** The windows of a Conv or a pool over axes of `sizes`. Throws OperatorError. */
export function readWindows(
  attributes: Parameters<Operator["evaluate"]>[1],
  sizes: readonly number[],
  shape: readonly number[] | undefined,
): Windows {
  const value = (name: string): number[] | undefined => numbers(attributes.get(name));
  const kernel = shape ?? value("kernel_shape") ?? misfit();
  if (kernel.length !== sizes.length) misfit();
  const strides = value("strides") ?? sizes.map(() => 1);
  const dilations = value("dilations") ?? sizes.map(() => 1);
  const auto = String(attributes.get("auto_pad") ?? "NOTSET");
  if (number(0)(attributes.get("ceil_mode")) === 1)
    throw new OperatorError("rounds its windows up (ceil_mode)", "export the model without ceil_mode");
  if (number(1)(attributes.get("group")) !== 1) throw new OperatorError("has several groups", "quickstep reads one group");
  const given = value("pads") ?? sizes.flatMap(() => [0, 0]);
  const pads = sizes.map((size, d): [number, number] => {
    const span = (kernel[d] - 1) * dilations[d] + 1;
    if (auto === "NOTSET" || auto === "") return [given[d], given[d + sizes.length]];
    if (auto === "VALID") return [0, 0];
    const total = Math.max((Math.ceil(size / strides[d]) - 1) * strides[d] + span - size, 0);
    return auto === "SAME_LOWER" ? [Math.ceil(total / 2), Math.floor(total / 2)] : [Math.floor(total / 2), Math.ceil(total / 2)];
  });
  return { kernel, strides, dilations, pads, countsPads: number(0)(attributes.get("count_include_pad")) === 1 };
}

/** How many windows fit on each axis. */
export function countWindows({ kernel, strides, dilations, pads }: Windows, sizes: readonly number[]): number[] {
  return sizes.map((size, d) => Math.floor((pads[d][0] + size + pads[d][1] - (kernel[d] - 1) * dilations[d] - 1) / strides[d]) + 1);
}

/** Calls `visit` with the input's place, or null in a pad, and the window's. */
function eachInWindow(
  { kernel, strides, dilations, pads }: Windows,
  sizes: readonly number[],
  out: readonly number[],
  visit: (place: readonly number[] | null, k: readonly number[]) => void,
): void {
  build(kernel, (k) => {
    const place = sizes.map((_, d) => out[d] * strides[d] - pads[d][0] + k[d] * dilations[d]);
    visit(place.every((position, d) => position >= 0 && position < sizes[d]) ? place : null, k);
    return 0;
  });
}

function pool(by: "max" | "mean"): Operator {
  return {
    inputs: ["X"],
    evaluate([x], attributes) {
      if (x === undefined) return misfit();
      const sizes = x.dims.slice(2);
      const windows = readWindows(attributes, sizes, undefined);
      return [
        build([...x.dims.slice(0, 2), ...countWindows(windows, sizes)], ([n, c, ...out]) => {
          let [sum, count, most] = [0, 0, -Infinity];
          eachInWindow(windows, sizes, out, (place) => {
            if (place === null) return;
            const value = at(x, [n, c, ...place]);
            sum += value;
            count++;
            most = Math.max(most, value);
          });
          return by === "max" ? most : sum / (windows.countsPads ? sizeOf(windows.kernel) : count);
        }),
      ];
    },
  };
}

export const WINDOW_OPERATORS: Readonly<Record<string, Operator>> = {
  ReduceMean: reduction(
    0,
    (sum, x) => sum + x,
    (sum, count) => sum / count,
  ),
  ReduceSum: reduction(
    0,
    (sum, x) => sum + x,
    (sum) => sum,
  ),
  ReduceProd: reduction(
    1,
    (product, x) => product * x,
    (product) => product,
  ),
  ReduceMax: reduction(-Infinity, Math.max, (most) => most),
  ReduceMin: reduction(Infinity, Math.min, (least) => least),
  GlobalAveragePool: globalPool((values) => values.reduce((a, b) => a + b) / values.length),
  GlobalMaxPool: globalPool((values) => Math.max(...values)),
  MaxPool: pool("max"),
  AveragePool: pool("mean"),
  Conv: {
    inputs: ["X", "W", "B?"],
    evaluate([x, w, b], attributes) {
      if (x === undefined || w === undefined || x.dims[1] !== w.dims[1]) return misfit();
      const sizes = x.dims.slice(2);
      const windows = readWindows(attributes, sizes, w.dims.slice(2));
      return [
        build([x.dims[0], w.dims[0], ...countWindows(windows, sizes)], ([n, m, ...out]) => {
          let sum = b ? b.data[m] : 0;
          eachInWindow(windows, sizes, out, (place, k) => {
            if (place === null) return;
            for (let c = 0; c < x.dims[1]; c++) sum += at(x, [n, c, ...place]) * at(w, [m, c, ...k]);
          });
          return sum;
        }),
      ];
    },
  },
  Pad: operator({
    inputs: ["data", "pads?", "constant_value?", "axes?"],
    attributes: { mode: anything, pads: numbers, value: number(0) },
    evaluate([x, pads, constant, axes], { mode = "constant", pads: given = pads && [...pads.data], value }) {
      if (mode !== "constant" || given === undefined) throw new OperatorError(`pads by ${String(mode)}`, "quickstep reads constant pads");
      const list = axes ? [...axes.data].map((axis) => axisOf(axis, x.dims.length)) : x.dims.map((_, d) => d);
      const [front, dims] = [x.dims.map(() => 0), [...x.dims]];
      for (const [k, d] of list.entries()) {
        front[d] = given[k];
        dims[d] += given[k] + given[k + list.length];
      }
      const fill = constant?.data[0] ?? value;
      return [
        build(dims, (index) => {
          const place = index.map((position, d) => position - front[d]);
          return place.every((position, d) => position >= 0 && position < x.dims[d]) ? at(x, place) : fill;
        }),
      ];
    },
  }),
  ReverseSequence: operator({
    inputs: ["input", "sequence_lens"],
    attributes: { batch_axis: number(1), time_axis: number(0) },
    evaluate: ([x, lengths], { batch_axis, time_axis }) => [
      build(x.dims, (index) => {
        const [length, t] = [lengths.data[index[batch_axis]], index[time_axis]];
        return at(x, t < length ? index.with(time_axis, length - 1 - t) : index);
      }),
    ],
  }),
  Split: operator({
    inputs: ["input", "split?"],
    attributes: { axis: number(0), split: numbers, num_outputs: anything },
    evaluate([x, sizes], { axis, split = sizes && [...sizes.data], num_outputs }) {
      const d = axisOf(axis, x.dims.length);
      if (split === undefined && num_outputs === undefined) return misfit();
      const count = Number(num_outputs ?? 0);
      const parts =
        split ??
        Array.from({ length: count }, (_, k) => Math.min(Math.ceil(x.dims[d] / count), x.dims[d] - k * Math.ceil(x.dims[d] / count)));
      let first = 0;
      return parts.map((size) => {
        const from = first;
        first += size;
        return build(x.dims.with(d, size), (index) => at(x, index.with(d, index[d] + from)));
      });
    },
  }),
  LayerNormalization: operator({
    inputs: ["X", "Scale", "B?"],
    attributes: { axis: number(-1), epsilon: number(1e-5) },
    evaluate([x, scale, bias], { axis, epsilon }) {
      const d = axisOf(axis, x.dims.length);
      const width = sizeOf(x.dims.slice(d));
      const data = x.data.slice();
      for (let from = 0; from < data.length; from += width) {
        const row = x.data.subarray(from, from + width);
        const mean = row.reduce((a, b) => a + b) / width;
        const deviation = Math.sqrt(row.reduce((sum, value) => sum + (value - mean) ** 2, 0) / width + epsilon);
        for (let k = 0; k < width; k++)
          data[from + k] = ((row[k] - mean) / deviation) * scale.data[k % scale.data.length] + (bias ? bias.data[k % bias.data.length] : 0);
      }
      return [{ dims: x.dims, data }];
    },
  }),
};
