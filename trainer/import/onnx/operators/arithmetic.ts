// Operators that compute with numbers, in float64 whatever the type.
// Definitions: github.com/onnx/onnx/blob/main/docs/Operators.md, opsets 7 to 26.
import { BOOL, DOUBLE, FLOAT } from "../../../export/onnx/schema.ts";
import type { Tensor } from "./node.ts";
import { anything, misfit, number, type Operator, operator } from "./operator.ts";
import { at, axisOf, broadcast, build, reshape, sizeOf } from "./tensors.ts";

function pairwise(combine: (a: number, b: number) => number): Operator {
  return operator({
    inputs: ["A", "B"],
    evaluate: ([a, b]) => [build(broadcast(a.dims, b.dims), (index) => combine(at(a, index), at(b, index)))],
  });
}

function each(change: (x: number) => number): Operator {
  return operator({ inputs: ["X"], evaluate: ([x]) => [map(x, change)] });
}

function map({ dims, data }: Tensor, change: (x: number) => number): Tensor {
  return { dims, data: data.map(change) };
}

export const ARITHMETIC_OPERATORS: Readonly<Record<string, Operator>> = {
  Add: pairwise((a, b) => a + b),
  Sub: pairwise((a, b) => a - b),
  Mul: pairwise((a, b) => a * b),
  Div: pairwise((a, b) => a / b),
  Equal: pairwise((a, b) => Number(a === b)),
  Less: pairwise((a, b) => Number(a < b)),
  LessOrEqual: pairwise((a, b) => Number(a <= b)),
  Greater: pairwise((a, b) => Number(a > b)),
  GreaterOrEqual: pairwise((a, b) => Number(a >= b)),
  And: pairwise((a, b) => Number(a !== 0 && b !== 0)),
  Or: pairwise((a, b) => Number(a !== 0 || b !== 0)),
  Neg: each((x) => -x),
  Sqrt: each(Math.sqrt),
  Clip: operator({
    inputs: ["input", "min?", "max?"],
    attributes: { min: number(-Infinity), max: number(Infinity) },
    evaluate: ([x, low, high], { min, max }) => [map(x, (value) => Math.min(Math.max(value, low?.data[0] ?? min), high?.data[0] ?? max))],
  }),
  Cast: operator({
    inputs: ["input"],
    attributes: { to: number(FLOAT) },
    evaluate([x], { to }) {
      if (to === FLOAT || to === DOUBLE) return [x];
      return [map(x, to === BOOL ? (value) => Number(value !== 0) : Math.trunc)];
    },
  }),
  Where: operator({
    inputs: ["condition", "X", "Y"],
    evaluate([condition, x, y]) {
      const dims = broadcast(broadcast(condition.dims, x.dims), y.dims);
      return [build(dims, (index) => (at(condition, index) !== 0 ? at(x, index) : at(y, index)))];
    },
  }),
  Softmax: operator({
    inputs: ["input"],
    attributes: { axis: anything },
    evaluate([x], { axis: given }) {
      if (given === undefined && x.dims.length !== 2) misfit("a softmax of several axes that names none");
      const axis = axisOf(Number(given ?? 1), x.dims.length);
      // Until opset 12 all axes from this one on are one
      if (sizeOf(x.dims.slice(axis + 1)) !== 1) misfit("a softmax over axes in front of others");
      const width = x.dims[axis];
      const exponential = (from: number, j: number, k: number): number => Math.exp(x.data[from + j] - x.data[from + k]);
      const share = (_: number, at: number): number => {
        const k = at % width;
        return 1 / Array.from({ length: width }, (_, j) => exponential(at - k, j, k)).reduce((a, b) => a + b);
      };
      return [{ dims: x.dims, data: x.data.map(share) }];
    },
  }),
  MatMul: operator({ inputs: ["A", "B"], evaluate: ([a, b]) => [multiply(a, b)] }),
  Gemm: operator({
    inputs: ["A", "B", "C?"],
    attributes: { transA: number(0), transB: number(0), alpha: number(1), beta: number(1) },
    evaluate([a, b, c], { transA, transB, alpha, beta }) {
      if (a.dims.length !== 2 || b.dims.length !== 2) misfit();
      const product = multiply(transA ? transpose(a) : a, transB ? transpose(b) : b);
      return [build(product.dims, (index) => alpha * at(product, index) + (c ? beta * at(c, index) : 0))];
    },
  }),
  BatchNormalization: operator({
    inputs: ["X", "scale", "B", "input_mean", "input_var"],
    attributes: { epsilon: number(1e-5) },
    evaluate([x, scale, bias, mean, variance], { epsilon }) {
      const normalised = (value: number, c: number): number =>
        ((value - mean.data[c]) / Math.sqrt(variance.data[c] + epsilon)) * scale.data[c] + bias.data[c];
      return [build(x.dims, (index) => normalised(at(x, index), index[1]))];
    },
  }),
};

/** (I,J) → (J,I) */
function transpose(x: Tensor): Tensor {
  return build([x.dims[1], x.dims[0]], ([i, j]) => at(x, [j, i]));
}

/** As numpy.matmul has it: (…,M,K) × (…,K,P), or × (K), whose product has no last axis. */
function multiply(a: Tensor, b: Tensor): Tensor {
  if (b.dims.length === 1) {
    const column = multiply(a, reshape(b, [b.data.length, 1]));
    return reshape(column, column.dims.slice(0, -1));
  }
  const [[M, K], [rows, P]] = [a.dims.slice(-2), b.dims.slice(-2)];
  if (a.dims.length < 2 || b.dims.length < 2 || rows !== K) misfit();
  const [matrixOfA, matrixOfB] = [a, b].map(({ dims }) => numberMatrices(dims));
  let [rowOfA, firstOfB] = [0, 0];
  return build([...broadcast(matrixOfA.dims, matrixOfB.dims), M, P], (index) => {
    const p = index[index.length - 1];
    if (p === 0) {
      const batch = index.slice(0, -2);
      rowOfA = (at(matrixOfA, batch) * M + index[index.length - 2]) * K;
      firstOfB = at(matrixOfB, batch) * K * P;
    }
    let sum = 0;
    for (let k = 0; k < K; k++) sum += a.data[rowOfA + k] * b.data[firstOfB + k * P + p];
    return sum;
  });
}

/** The number of each matrix of a tensor of matrices, in their order. */
function numberMatrices(dims: readonly number[]): Tensor {
  let count = 0;
  return build(dims.slice(0, -2), () => count++);
}
