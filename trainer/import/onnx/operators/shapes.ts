// Operators that make constants, or move numbers without changing them; sorting among the latter.
// Definitions: github.com/onnx/onnx/blob/main/docs/Operators.md, opsets 7 to 26.
import type { Tensor } from "./node.ts";
import { anything, misfit, number, numbers, type Operator, OperatorError, operator, tensor } from "./operator.ts";
import { at, axisOf, broadcast, build, reshape, sizeOf, vector } from "./tensors.ts";

/** A list that is an attribute in old opsets, an input in newer ones. */
function listOf(attribute: number[] | undefined, input: Tensor | undefined): number[] | undefined {
  return attribute ?? (input && [...input.data]);
}

export const SHAPE_OPERATORS: Readonly<Record<string, Operator>> = {
  Constant: operator({
    inputs: [],
    attributes: { value: tensor, value_float: anything, value_int: anything, value_floats: numbers, value_ints: numbers },
    evaluate(_, { value, value_float, value_int, value_floats, value_ints }) {
      if (value) return [value];
      const single = [value_float, value_int].find((one) => typeof one === "number");
      if (single !== undefined) return [{ dims: [], data: Float64Array.of(single) }];
      return [vector(value_floats ?? value_ints ?? misfit())];
    },
  }),
  ConstantOfShape: operator({
    inputs: ["input"],
    attributes: { value: tensor },
    evaluate: ([shape], { value }) => [build([...shape.data], () => value?.data[0] ?? 0)],
  }),
  Identity: operator({ inputs: ["input"], evaluate: ([x]) => [x] }),
  Dropout: operator({ inputs: ["data"], evaluate: ([x]) => [x] }), // at inference
  Shape: operator({
    inputs: ["data"],
    attributes: { start: number(0), end: anything },
    evaluate: ([{ dims }], { start, end }) => [vector(dims.slice(start, end === undefined ? undefined : Number(end)))],
  }),
  Expand: operator({
    inputs: ["input", "shape"],
    evaluate: ([x, shape]) => [build(broadcast(x.dims, [...shape.data]), (index) => at(x, index))],
  }),
  Tile: operator({
    inputs: ["input", "repeats"],
    evaluate: ([x, repeats]) => [
      build(
        x.dims.map((size, d) => size * repeats.data[d]),
        (index) =>
          at(
            x,
            index.map((position, d) => position % x.dims[d]),
          ),
      ),
    ],
  }),
  Reshape: operator({
    inputs: ["data", "shape"],
    attributes: { allowzero: number(0) },
    evaluate([x, shape], { allowzero }) {
      const asked = [...shape.data].map((size, d) => (size === 0 && allowzero === 0 ? x.dims[d] : size));
      const known = sizeOf(asked.filter((size) => size !== -1));
      const dims = asked.map((size) => (size === -1 ? x.data.length / known : size));
      return [reshape(x, dims)];
    },
  }),
  Flatten: operator({
    inputs: ["input"],
    attributes: { axis: number(1) },
    evaluate([x], { axis }) {
      const d = axisOf(axis, x.dims.length);
      return [reshape(x, [sizeOf(x.dims.slice(0, d)), sizeOf(x.dims.slice(d))])];
    },
  }),
  Squeeze: operator({
    inputs: ["data", "axes?"],
    attributes: { axes: numbers },
    evaluate([x, input], { axes }) {
      const dropped = listOf(axes, input)?.map((axis) => axisOf(axis, x.dims.length));
      const dims = x.dims.filter((size, d) => (dropped ? !dropped.includes(d) : size !== 1));
      return [reshape(x, dims)];
    },
  }),
  Unsqueeze: operator({
    inputs: ["data", "axes?"],
    attributes: { axes: numbers },
    evaluate([x, input], { axes }) {
      const asked = listOf(axes, input) ?? misfit();
      const added = asked.map((axis) => axisOf(axis, x.dims.length + asked.length)).sort((a, b) => a - b);
      const dims = [...x.dims];
      for (const axis of added) dims.splice(axis, 0, 1);
      return [reshape(x, dims)];
    },
  }),
  Transpose: operator({
    inputs: ["data"],
    attributes: { perm: numbers },
    evaluate([x], { perm }) {
      const order = perm ?? x.dims.map((_, d) => x.dims.length - 1 - d);
      const sizes = order.map((d) => x.dims[d]);
      const source = (index: number[]): number[] => x.dims.map((_, d) => index[order.indexOf(d)]);
      return [build(sizes, (index) => at(x, source(index)))];
    },
  }),
  Concat: operator({
    inputs: ["inputs…"],
    attributes: { axis: number(0) },
    evaluate(parts, { axis }) {
      const d = axisOf(axis, parts[0].dims.length);
      const total = parts.reduce((sum, { dims }) => sum + dims[d], 0);
      return [
        build(parts[0].dims.with(d, total), (index) => {
          let offset = index[d];
          let k = 0;
          while (offset >= parts[k].dims[d]) offset -= parts[k++].dims[d];
          return at(parts[k], index.with(d, offset));
        }),
      ];
    },
  }),
  Gather: operator({
    inputs: ["data", "indices"],
    attributes: { axis: number(0) },
    evaluate([x, indices], { axis }) {
      const d = axisOf(axis, x.dims.length);
      const behind = d + indices.dims.length;
      return [
        build([...x.dims.slice(0, d), ...indices.dims, ...x.dims.slice(d + 1)], (index) => {
          const chosen = at(indices, index.slice(d, behind));
          return at(x, [...index.slice(0, d), axisOf(chosen, x.dims[d]), ...index.slice(behind)]);
        }),
      ];
    },
  }),
  Range: operator({
    inputs: ["start", "limit", "delta"],
    evaluate([start, limit, delta]) {
      const [from, to, step] = [start, limit, delta].map(({ data }) => data[0]);
      return [build([Math.max(0, Math.ceil((to - from) / step))], ([k]) => from + k * step)];
    },
  }),
  ScatterElements: operator({
    inputs: ["data", "indices", "updates"],
    attributes: { axis: number(0), reduction: anything },
    evaluate([x, indices, updates], { axis, reduction = "none" }) {
      if (reduction !== "none") throw new OperatorError(`reduces by ${reduction}`, "quickstep reads scatters without a reduction");
      if (String(indices.dims) !== String(updates.dims) || indices.dims.length !== x.dims.length) misfit();
      const d = axisOf(axis, x.dims.length);
      const data = x.data.slice();
      build(indices.dims, (index) => {
        const target = index.with(d, axisOf(at(indices, index), x.dims[d]));
        if (target.some((position, axis) => !(position >= 0 && position < x.dims[axis]))) misfit();
        data[target.reduce((offset, position, axis) => offset * x.dims[axis] + position, 0)] = at(updates, index);
        return 0;
      });
      return [{ dims: x.dims, data }];
    },
  }),
  TopK: operator({
    inputs: ["X", "K"],
    attributes: { axis: number(-1), largest: number(1), sorted: number(1) },
    evaluate(
      [
        x,
        {
          data: [k],
        },
      ],
      { axis, largest },
    ) {
      const d = axisOf(axis, x.dims.length);
      if (!(k <= x.dims[d])) misfit();
      const sign = largest === 1 ? -1 : 1;
      const orders = new Map<string, number[]>();
      const order = (index: number[]): number[] => {
        const lane = index.with(d, 0).join();
        const known = orders.get(lane);
        if (known) return known;
        const values = Array.from({ length: x.dims[d] }, (_, position) => at(x, index.with(d, position)));
        const sorted = values.map((_, position) => position).sort((a, b) => sign * (values[a] - values[b]) || a - b);
        orders.set(lane, sorted);
        return sorted;
      };
      const dims = x.dims.with(d, k);
      return [build(dims, (index) => at(x, index.with(d, order(index)[index[d]]))), build(dims, (index) => order(index)[index[d]])];
    },
  }),
  Slice: operator({
    inputs: ["data", "starts?", "ends?", "axes?", "steps?"],
    attributes: { starts: numbers, ends: numbers, axes: numbers, steps: numbers },
    evaluate([x, ...inputs], attributes) {
      const [starts, ends] = [listOf(attributes.starts, inputs[0]) ?? misfit(), listOf(attributes.ends, inputs[1]) ?? misfit()];
      const axes = listOf(attributes.axes, inputs[2]) ?? starts.map((_, k) => k);
      const steps = listOf(attributes.steps, inputs[3]) ?? starts.map(() => 1);
      if (steps.some((step) => step !== 1 && step !== -1))
        throw new OperatorError(`takes steps of ${steps}`, "quickstep reads slices of step 1 and -1");
      const [first, dims, direction] = [x.dims.map(() => 0), [...x.dims], x.dims.map(() => 1)];
      for (const [k, axis] of axes.entries()) {
        const d = axisOf(axis, x.dims.length);
        const [low, high] = steps[k] === 1 ? [0, x.dims[d]] : [-1, x.dims[d] - 1];
        const clamp = (position: number): number => Math.min(Math.max(axisOf(position, x.dims[d]), low), high);
        first[d] = clamp(starts[k]);
        dims[d] = Math.max(0, (clamp(ends[k]) - first[d]) * steps[k]);
        direction[d] = steps[k];
      }
      const source = (index: number[]): number[] => index.map((position, d) => first[d] + position * direction[d]);
      return [build(dims, (index) => at(x, source(index)))];
    },
  }),
};
