// The executable definition of a network of layers in plain TypeScript: slow, obvious, the oracle the kernel is tested against.
// Everything in float64 with Math's functions, so it is exact to far below float32 and not bit-equal between hosts. erf is the one
// function that Math lacks.
// Legend: R rows, W width, U units, K kernel size.
import { type Activation, SELU_ALPHA, SELU_SCALE } from "./activation.ts";
import type { Cell, GLOBAL_POOLS, GruCell, Layer, LayeredNetwork, LstmCell, MERGES, Returns, RnnCell } from "./layers.ts";
import { sigmoid } from "./lstm.ts";

type Row = Float64Array<ArrayBuffer>;

/** The logit of one sequence: `channels` (T,C) left-aligned, of which the first `length` rows are read. */
export function layersLogit({ channels: C, layers }: LayeredNetwork, channels: ArrayLike<number>, length: number): number {
  let rows = Array.from({ length }, (_, t) => Float64Array.from({ length: C }, (_, c) => channels[t * C + c]));
  for (const layer of layers) rows = runLayer(layer, rows);
  return rows[0][0];
}

/** What a layer makes of rows (R,W). */
export function runLayer(layer: Layer, rows: readonly Row[]): Row[] {
  switch (layer.kind) {
    case "recurrent":
      return runCell(layer.cell, rows, layer.backwards === true)[layer.returns];
    case "bidirectional":
      return runBidirectional(layer, rows);
    case "conv":
      return runConv(layer, rows);
    case "pooling":
      return runPooling(layer, rows);
    case "globalPooling":
      return [joinRows(layer.by.map((by) => poolAll(by, rows)))];
    case "attentionPooling":
      return [attend(rows)];
    case "branches":
      return runBranches(layer, rows);
    case "flatten":
      return [joinRows(rows)];
    case "reverse":
      return rows.toReversed();
    case "dense":
      return rows.map((row) => addProduct(Float64Array.from(layer.bias), row, layer.kernel));
    case "activation":
      return rows.map((row) => row.map((x) => activate(layer.activation, x)));
    case "affine":
      return rows.map((row) => row.map((x, w) => x * layer.scale[w] + layer.shift[w]));
    case "layerNormalization":
      return rows.map((row) => normalise(layer, row));
  }
}

/** y = f(x). */
export function activate(activation: Activation, x: number): number {
  switch (activation.kind) {
    case "linear":
      return x;
    case "relu":
      return Math.max(x, 0);
    case "leakyRelu":
      return x < 0 ? activation.alpha * x : x;
    case "elu":
      return x < 0 ? activation.alpha * Math.expm1(x) : x;
    case "selu":
      return SELU_SCALE * (x < 0 ? SELU_ALPHA * Math.expm1(x) : x);
    case "silu":
      return x * sigmoid(x);
    case "gelu":
      return activation.approximate
        ? 0.5 * x * (1 + Math.tanh(Math.sqrt(2 / Math.PI) * (x + 0.044715 * x ** 3)))
        : 0.5 * x * erfc(-x / Math.SQRT2);
    case "tanh":
      return Math.tanh(x);
    case "sigmoid":
      return sigmoid(x);
    case "hardSigmoid":
      return Math.min(Math.max(activation.slope * x + 0.5, 0), 1);
    case "softplus":
      return Math.max(x, 0) + Math.log1p(Math.exp(-Math.abs(x)));
    case "softsign":
      return x / (1 + Math.abs(x));
  }
}

/** 1 − erf(x): the series of erf about 0 (Abramowitz & Stegun 7.1.6) below 3, the continued fraction of erfc (7.1.14) above. */
function erfc(x: number): number {
  if (x < 0) return 2 - erfc(-x);
  const scale = Math.exp(-x * x) / Math.sqrt(Math.PI);
  if (x < 3) {
    let term = x;
    let sum = x;
    for (let n = 1; term > sum * 1e-17; n++) {
      term *= (2 * x * x) / (2 * n + 1);
      sum += term;
    }
    return 1 - 2 * scale * sum;
  }
  let fraction = x;
  for (let n = 60; n > 0; n--) fraction = x + n / 2 / fraction;
  return scale / fraction;
}

/** `out` (U) + row (W) · kernel (W,U). */
function addProduct(out: Row, row: Row, kernel: Float32Array): Row {
  const U = out.length;
  for (let w = 0; w < row.length; w++) for (let u = 0; u < U; u++) out[u] += row[w] * kernel[w * U + u];
  return out;
}

/** The states, (R,U) in the order of the rows; the last state that was reached; and the last cell state, an LSTM's. */
function runCell(cell: Cell, rows: readonly Row[], backwards: boolean): Record<Returns, Row[]> {
  const { units: U } = cell;
  let hidden = Float64Array.from(cell.initialHidden ?? new Float32Array(U));
  const memory = Float64Array.from((cell.cell === "lstm" && cell.initialCell) || new Float32Array(U));
  const states: Row[] = [];
  for (const row of backwards ? rows.toReversed() : rows) {
    hidden = stepCell(cell, row, hidden, memory);
    states.push(hidden);
  }
  return { sequence: backwards ? states.reverse() : states, state: [hidden], cell: [memory] };
}

/** The state after `row`. An LSTM's cell state changes in `memory`. */
function stepCell(cell: Cell, row: Row, hidden: Row, memory: Row): Row {
  switch (cell.cell) {
    case "lstm":
      return stepLstm(cell, row, hidden, memory);
    case "gru":
      return stepGru(cell, row, hidden);
    case "rnn":
      return stepRnn(cell, row, hidden);
  }
}

/** Hochreiter & Schmidhuber 1997, with Gers' forget gate (2000). */
function stepLstm(cell: LstmCell, row: Row, hidden: Row, memory: Row): Row {
  const { units: U, activation = { kind: "tanh" }, recurrentActivation = { kind: "sigmoid" } } = cell;
  const gates = addProduct(addProduct(Float64Array.from(cell.bias), row, cell.kernel), hidden, cell.recurrent);
  return hidden.map((_, u) => {
    const [i, f, o] = [0, 1, 3].map((gate) => activate(recurrentActivation, gates[gate * U + u]));
    memory[u] = f * memory[u] + i * activate(activation, gates[2 * U + u]);
    return o * activate(activation, memory[u]);
  });
}

/** Cho et al. 2014: the first version of their paper multiplies by the reset gate after the recurrent weights, the third before. */
function stepGru(cell: GruCell, row: Row, hidden: Row): Row {
  const { units: U, activation = { kind: "tanh" }, recurrentActivation = { kind: "sigmoid" }, recurrentBias } = cell;
  const inputs = addProduct(Float64Array.from(cell.bias), row, cell.kernel);
  const states = addProduct(new Float64Array(3 * U), hidden, cell.recurrent);
  const gate = (at: number): number => activate(recurrentActivation, inputs[at] + states[at]);
  const reset = hidden.map((_, u) => gate(U + u));
  const resetStates = addProduct(
    new Float64Array(3 * U),
    hidden.map((h, u) => reset[u] * h),
    cell.recurrent,
  );
  return hidden.map((h, u) => {
    const at = 2 * U + u;
    const recurrent = recurrentBias === undefined ? resetStates[at] : reset[u] * (states[at] + recurrentBias[u]);
    const z = gate(u);
    return z * h + (1 - z) * activate(activation, inputs[at] + recurrent);
  });
}

/** Elman 1990. */
function stepRnn(cell: RnnCell, row: Row, hidden: Row): Row {
  const { activation = { kind: "tanh" } } = cell;
  const sums = addProduct(addProduct(Float64Array.from(cell.bias), row, cell.kernel), hidden, cell.recurrent);
  return sums.map((x) => activate(activation, x));
}

/** Schuster & Paliwal 1997. */
function runBidirectional(layer: Extract<Layer, { kind: "bidirectional" }>, rows: readonly Row[]): Row[] {
  const forward = runCell(layer.forward, rows, false)[layer.returns];
  const backward = runCell(layer.backward, rows, true)[layer.returns];
  return forward.map((row, r) => mergeRows(layer.merge, row, backward[r]));
}

function mergeRows(merge: (typeof MERGES)[number], row: Row, other: Row): Row {
  switch (merge) {
    case "concat":
      return joinRows([row, other]);
    case "sum":
      return row.map((x, u) => x + other[u]);
    case "mul":
      return row.map((x, u) => x * other[u]);
    case "ave":
      return row.map((x, u) => (x + other[u]) / 2);
  }
}

function joinRows(rows: readonly Row[]): Row {
  return Float64Array.from(rows.flatMap((row) => [...row]));
}

/** Cross-correlation, as frameworks mean convolution. */
function runConv(layer: Extract<Layer, { kind: "conv" }>, rows: readonly Row[]): Row[] {
  const { kernel, kernelSize: K, strides, dilationRate, pads, filters, bias } = layer;
  const W = rows[0].length;
  const padded = [...zeroRows(pads[0], W), ...rows, ...zeroRows(pads[1], W)];
  const out: Row[] = [];
  for (let first = 0; first + (K - 1) * dilationRate < padded.length; first += strides) {
    const sums = Float64Array.from(bias);
    for (let k = 0; k < K; k++) addProduct(sums, padded[first + k * dilationRate], kernel.subarray(k * W * filters, (k + 1) * W * filters));
    out.push(sums);
  }
  return out;
}

function zeroRows(count: number, W: number): Row[] {
  return Array.from({ length: count }, () => new Float64Array(W));
}

function runPooling({ by, poolSize, strides, pads, countsPads }: Extract<Layer, { kind: "pooling" }>, rows: readonly Row[]): Row[] {
  const out: Row[] = [];
  for (let first = -pads[0]; first + poolSize <= rows.length + pads[1]; first += strides) {
    const window = rows.slice(Math.max(first, 0), Math.max(first + poolSize, 0));
    const size = countsPads ? poolSize : window.length;
    out.push(poolAll(by, window).map((x) => (by === "mean" ? (x * window.length) / size : x)));
  }
  return out;
}

function poolAll(by: (typeof GLOBAL_POOLS)[number], rows: readonly Row[]): Row {
  switch (by) {
    case "first":
      return rows[0];
    case "last":
      return rows[rows.length - 1];
    case "mean":
      return rows[0].map((_, w) => rows.reduce((sum, row) => sum + row[w], 0) / rows.length);
    case "max":
      return rows[0].map((_, w) => Math.max(...rows.map((row) => row[w])));
    case "ends":
      return rows[0].map((x, w) => (w < rows[0].length / 2 ? rows[rows.length - 1][w] : x));
  }
}

/** Bahdanau et al. 2015: rows weighted by the softmax of their scores, which stand in the last column. */
function attend(rows: readonly Row[]): Row {
  const W = rows[0].length - 1;
  const top = Math.max(...rows.map((row) => row[W]));
  const weights = rows.map((row) => Math.exp(row[W] - top));
  const total = weights.reduce((sum, weight) => sum + weight);
  return Float64Array.from({ length: W }, (_, w) => rows.reduce((sum, row, r) => sum + row[w] * weights[r], 0) / total);
}

function runBranches({ branches, merge }: Extract<Layer, { kind: "branches" }>, rows: readonly Row[]): Row[] {
  const left = branches.map((branch) => branch.reduce<readonly Row[]>((given, layer) => runLayer(layer, given), rows));
  return left[0].map((_, r) => left.map((each) => each[r]).reduce((row, other) => mergeRows(merge, row, other)));
}

function normalise({ gamma, beta, epsilon }: Extract<Layer, { kind: "layerNormalization" }>, row: Row): Row {
  const mean = row.reduce((sum, x) => sum + x, 0) / row.length;
  const variance = row.reduce((sum, x) => sum + (x - mean) ** 2, 0) / row.length;
  return row.map((x, w) => ((x - mean) / Math.sqrt(variance + epsilon)) * gamma[w] + beta[w]);
}
