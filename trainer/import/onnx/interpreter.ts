// ONNX operators in float64, as many as stand around an LSTM in what PyTorch, tf2onnx and keras2onnx write: a slow, obvious
// interpreter, by which a graph is understood and an import is checked. One switch, an operator a case, is longer than files here
// are, and easier to hold against the specification. github.com/onnx/onnx/blob/main/docs/Operators.md
import { rejectFile } from "../contract/reject-file.ts";
import type { Graph } from "./file.ts";
import { runLstm, settingsOf } from "./operators/lstm.ts";
import { type Attribute, type Node, numbersOf, type Tensor, tensorOf } from "./operators/node.ts";

/** Far above any batch of probes; a graph that asks for more is refused. */
const MAX_NUMBERS = 10_000_000;

/** Computes tensors by name. `given` goes before what the graph would compute. Throws DataError naming what is not supported. */
export function evaluate(graph: Graph, given: ReadonlyMap<string, Tensor>, wanted: string, source: string): Tensor {
  const known = new Map(given);
  const makers = new Map(graph.nodes.flatMap((node) => node.outputs.filter((name) => name !== "").map((name) => [name, node] as const)));
  const underway = new Set<string>();
  const compute = (name: string): Tensor => {
    const value = known.get(name) ?? graph.constants.get(name);
    if (value) return value;
    const node = makers.get(name);
    if (node === undefined || underway.has(name))
      return rejectFile(source, `needs ${name}, which nothing computes`, "store it in the file as a constant");
    underway.add(name);
    const outputs = attempt(node, (k) => (node.inputs[k] ? compute(node.inputs[k]) : undefined), source);
    node.outputs.forEach((output, k) => {
      if (output !== "" && outputs[k] && !known.has(output)) known.set(output, outputs[k]);
    });
    underway.delete(name);
    const result = known.get(name);
    return result ?? rejectFile(source, `needs ${name}, which ${node.operator} does not give here`, "export it for inference");
  };
  return compute(wanted);
}

type Inputs = (k: number) => Tensor | undefined;

/** Attributes and shapes come from the file: whatever an operator cannot make of them is the file's fault. */
function attempt(node: Node, optional: Inputs, source: string): Tensor[] {
  try {
    return run(node, optional, source);
  } catch (error) {
    if (!(error instanceof TypeError || error instanceof RangeError)) throw error;
    return rejectFile(source, `the operator ${node.operator} does not fit its inputs (${error.message})`, "it is damaged: export it again");
  }
}

function run(node: Node, optional: Inputs, source: string): Tensor[] {
  const { operator, attributes } = node;
  const what = `the operator ${operator}${node.name ? ` (${node.name})` : ""}`;
  const input = (k: number): Tensor => optional(k) ?? rejectFile(source, `${what} lacks its input ${k}`, "it is damaged: export it again");
  const broken = (): never => rejectFile(source, `${what} does not fit its inputs`, "it is damaged: export it again");
  const number = (name: string, missing: number): number => Number(attributes.get(name) ?? missing);
  /** From an attribute in old opsets, an input in newer ones. */
  const list = (name: string, k: number): number[] | undefined =>
    numbersOf(attributes.get(name)) ?? (optional(k) && [...optional(k)!.data]);
  const axisOf = (axis: number, rank: number): number => (axis < 0 ? axis + rank : axis);
  const make = (dims: readonly number[], at: (index: number[]) => number): Tensor => {
    const size = sizeOf(dims);
    if (!(size <= MAX_NUMBERS)) rejectFile(source, `${what} makes ${size} numbers`, `expected at most ${MAX_NUMBERS}`);
    const data = new Float64Array(size);
    const index = dims.map(() => 0);
    for (let i = 0; i < size; i++) {
      data[i] = at(index);
      for (let d = dims.length - 1; d >= 0 && ++index[d] === dims[d]; d--) index[d] = 0;
    }
    if (data.some(Number.isNaN)) broken();
    return { dims, data };
  };
  const reshaped = ({ data }: Tensor, dims: readonly number[]): Tensor => (sizeOf(dims) === data.length ? { dims, data } : broken());
  const pairwise = (combine: (a: number, b: number) => number): Tensor[] => {
    const [a, b] = [input(0), input(1)];
    return [make(broadcast(a.dims, b.dims) ?? broken(), (index) => combine(at(a, index), at(b, index)))];
  };
  const each = (change: (x: number) => number): Tensor[] => [{ dims: input(0).dims, data: input(0).data.map(change) }];

  switch (operator) {
    case "Constant":
      return [constantOf(attributes) ?? broken()];
    case "Identity":
    case "Dropout":
      return [input(0)];
    case "Cast":
      return number("to", 1) === 1 || number("to", 1) === 11
        ? [input(0)]
        : each(number("to", 1) === 9 ? (x) => Number(x !== 0) : Math.trunc);
    case "Shape":
      return [vector(input(0).dims.slice(number("start", 0), attributes.has("end") ? number("end", 0) : undefined))];
    case "ConstantOfShape": {
      const value = tensorOf(attributes.get("value"))?.data[0] ?? 0;
      return [make([...input(0).data], () => value)];
    }
    case "Expand": {
      const x = input(0);
      return [make(broadcast(x.dims, [...input(1).data]) ?? broken(), (index) => at(x, index))];
    }
    case "Reshape": {
      const x = input(0);
      const asked = [...input(1).data].map((size, d) => (size === 0 && !attributes.get("allowzero") ? x.dims[d] : size));
      const rest = sizeOf(asked.filter((size) => size !== -1));
      return [
        reshaped(
          x,
          asked.map((size) => (size === -1 ? x.data.length / rest : size)),
        ),
      ];
    }
    case "Flatten": {
      const axis = axisOf(number("axis", 1), input(0).dims.length);
      return [reshaped(input(0), [sizeOf(input(0).dims.slice(0, axis)), sizeOf(input(0).dims.slice(axis))])];
    }
    case "Squeeze": {
      const { dims } = input(0);
      const axes = list("axes", 1)?.map((axis) => axisOf(axis, dims.length));
      return [
        reshaped(
          input(0),
          dims.filter((size, d) => (axes ? !axes.includes(d) : size !== 1)),
        ),
      ];
    }
    case "Unsqueeze": {
      const { dims } = input(0);
      const asked = list("axes", 1) ?? broken();
      const axes = asked.map((axis) => axisOf(axis, dims.length + asked.length)).sort((a, b) => a - b);
      const out = [...dims];
      for (const axis of axes) out.splice(axis, 0, 1);
      return [reshaped(input(0), out)];
    }
    case "Transpose": {
      const x = input(0);
      const order = numbersOf(attributes.get("perm")) ?? x.dims.map((_, d) => x.dims.length - 1 - d);
      return [
        make(
          order.map((d) => x.dims[d]),
          (index) =>
            at(
              x,
              x.dims.map((_, d) => index[order.indexOf(d)]),
            ),
        ),
      ];
    }
    case "Concat": {
      const parts = node.inputs.map((_, k) => input(k));
      const axis = axisOf(number("axis", 0), parts[0].dims.length);
      const total = parts.reduce((sum, { dims }) => sum + dims[axis], 0);
      return [
        make(
          parts[0].dims.map((size, d) => (d === axis ? total : size)),
          (index) => {
            let place = index[axis];
            let k = 0;
            while (place >= parts[k].dims[axis]) place -= parts[k++].dims[axis];
            return at(parts[k], index.with(axis, place));
          },
        ),
      ];
    }
    case "Gather": {
      const [x, places] = [input(0), input(1)];
      const axis = axisOf(number("axis", 0), x.dims.length);
      const [before, after] = [x.dims.slice(0, axis), x.dims.slice(axis + 1)];
      return [
        make([...before, ...places.dims, ...after], (index) => {
          const place = at(places, index.slice(axis, axis + places.dims.length));
          return at(x, [...index.slice(0, axis), axisOf(place, x.dims[axis]), ...index.slice(axis + places.dims.length)]);
        }),
      ];
    }
    case "Slice": {
      const x = input(0);
      const [starts, ends] = [list("starts", 1) ?? broken(), list("ends", 2) ?? broken()];
      const axes = list("axes", 3) ?? starts.map((_, k) => k);
      const steps = list("steps", 4) ?? starts.map(() => 1);
      if (steps.some((step) => step !== 1)) rejectFile(source, `${what} takes steps of ${steps}`, "quickstep reads slices of step 1");
      const [from, dims] = [x.dims.map(() => 0), [...x.dims]];
      axes.forEach((axis, k) => {
        const d = axisOf(axis, x.dims.length);
        const hold = (place: number): number => Math.min(Math.max(axisOf(place, x.dims[d]), 0), x.dims[d]);
        from[d] = hold(starts[k]);
        dims[d] = Math.max(0, hold(ends[k]) - from[d]);
      });
      return [
        make(dims, (index) =>
          at(
            x,
            index.map((place, d) => place + from[d]),
          ),
        ),
      ];
    }
    case "Add":
      return pairwise((a, b) => a + b);
    case "Sub":
      return pairwise((a, b) => a - b);
    case "Mul":
      return pairwise((a, b) => a * b);
    case "Div":
      return pairwise((a, b) => a / b);
    case "Equal":
      return pairwise((a, b) => Number(a === b));
    case "Where": {
      const [when, a, b] = [input(0), input(1), input(2)];
      const dims = broadcast(broadcast(when.dims, a.dims) ?? broken(), b.dims) ?? broken();
      return [make(dims, (index) => (at(when, index) !== 0 ? at(a, index) : at(b, index)))];
    }
    case "Neg":
      return each((x) => -x);
    case "Sqrt":
      return each(Math.sqrt);
    case "Sigmoid":
      return each((x) => 1 / (1 + Math.exp(-x)));
    case "Softmax": {
      const x = input(0);
      const width = x.dims[x.dims.length - 1];
      const axis = number("axis", -1);
      if (x.dims.length !== 2 || (axis !== -1 && axis !== 1)) broken();
      return [
        make(
          x.dims,
          ([n, k]) =>
            1 / Array.from({ length: width }, (_, j) => Math.exp(x.data[n * width + j] - x.data[n * width + k])).reduce((a, b) => a + b),
        ),
      ];
    }
    case "MatMul":
      return [multiply(input(0), input(1), make) ?? broken()];
    case "Gemm": {
      const turn = (x: Tensor, flag: string): Tensor => (number(flag, 0) ? make([x.dims[1], x.dims[0]], ([i, j]) => at(x, [j, i])) : x);
      if (input(0).dims.length !== 2 || input(1).dims.length !== 2) broken();
      const product = multiply(turn(input(0), "transA"), turn(input(1), "transB"), make) ?? broken();
      const bias = optional(2);
      const [alpha, beta] = [number("alpha", 1), number("beta", 1)];
      return [make(product.dims, (index) => alpha * at(product, index) + (bias ? beta * at(bias, index) : 0))];
    }
    case "BatchNormalization": {
      const [x, scale, bias, mean, variance] = [0, 1, 2, 3, 4].map(input);
      const epsilon = number("epsilon", 1e-5);
      return [
        make(
          x.dims,
          (index) =>
            ((at(x, index) - mean.data[index[1]]) / Math.sqrt(variance.data[index[1]] + epsilon)) * scale.data[index[1]] +
            bias.data[index[1]],
        ),
      ];
    }
    case "LSTM": {
      const [x, w, r] = [input(0), input(1), input(2)];
      const [b, lengths, hidden, cell] = [3, 4, 5, 6].map(optional);
      return runLstm({ x, w, r, b, lengths, hidden, cell }, settingsOf(node, source));
    }
    default:
      return rejectFile(source, `${what} is not supported`, "quickstep runs one LSTM with a linear head and a Sigmoid behind it");
  }
}

function sizeOf(dims: readonly number[]): number {
  return dims.reduce((product, size) => product * size, 1);
}

function vector(values: readonly number[]): Tensor {
  return { dims: [values.length], data: Float64Array.from(values) };
}

/** The number at `index`, of which a smaller tensor takes the last places, and 0 where its size is 1. */
function at({ dims, data }: Tensor, index: readonly number[]): number {
  const skipped = index.length - dims.length;
  let place = 0;
  for (let d = 0; d < dims.length; d++) place = place * dims[d] + (dims[d] === 1 ? 0 : index[skipped + d]);
  return data[place];
}

function broadcast(a: readonly number[], b: readonly number[]): number[] | undefined {
  const rank = Math.max(a.length, b.length);
  const dims = Array.from({ length: rank }, (_, d) => {
    const [x, y] = [a[d - rank + a.length] ?? 1, b[d - rank + b.length] ?? 1];
    return x === 1 ? y : y === 1 || x === y ? x : Number.NaN;
  });
  return dims.some(Number.isNaN) ? undefined : dims;
}

/** (…,M,K) × (K,P). */
function multiply(a: Tensor, b: Tensor, make: (dims: readonly number[], at: (index: number[]) => number) => Tensor): Tensor | undefined {
  const K = a.dims[a.dims.length - 1];
  if (a.dims.length < 2 || b.dims.length !== 2 || b.dims[0] !== K) return undefined;
  return make([...a.dims.slice(0, -1), b.dims[1]], (index) => {
    let sum = 0;
    for (let k = 0; k < K; k++) sum += at(a, index.with(-1, k)) * b.data[k * b.dims[1] + index[index.length - 1]];
    return sum;
  });
}

function constantOf(attributes: ReadonlyMap<string, Attribute>): Tensor | undefined {
  const value = tensorOf(attributes.get("value"));
  if (value) return value;
  for (const name of ["value_float", "value_int"]) {
    const single = attributes.get(name);
    if (typeof single === "number") return { dims: [], data: Float64Array.of(single) };
  }
  const many = numbersOf(attributes.get("value_floats") ?? attributes.get("value_ints"));
  return many && vector(many);
}
