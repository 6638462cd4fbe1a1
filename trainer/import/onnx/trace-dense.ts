// Products with constant matrices, as dense layers.
// Legend: R rows, W width, K numbers of a line, U units.
import { codeOf, extend, type Flow, linesOf, placeOf, readEnds, readStates, type Traced, type TracedNode, unlike } from "./flow.ts";
import { readEquation } from "./operators/einsum.ts";
import type { Tensor } from "./operators/node.ts";
import { misfit } from "./operators/operator.ts";
import { at, build, reshape } from "./operators/tensors.ts";
import { sumByProduct } from "./trace-attention.ts";
import { number } from "./trace-rowwise.ts";

/** A dense layer of rows whose numbers the lines of the last axis are; `weights` (K,U). */
function traceDense(given: Traced, weights: Tensor, bias: ((u: number) => number) | undefined): Traced {
  const traced = readEnds(readStates(given));
  const lines = linesOf(traced.codes);
  const [K, U] = weights.dims;
  if (lines[0].length !== K) misfit();
  const { flow } = traced;
  const first = [...lines[0]].map((code) => placeOf(flow, code));
  const isFlat = flow.R > 1 && K === flow.R * flow.W;
  const source = (place: { r: number; w: number }): number => (isFlat ? place.r * flow.W + place.w : place.w);
  const order = first.map(source);
  for (const line of lines) {
    const places = [...line].map((code) => placeOf(flow, code));
    if (places.some((place, k) => source(place) !== order[k] || place.n !== places[0].n || (!isFlat && place.r !== places[0].r)))
      return unlike("mixes steps or sequences");
  }
  // Numbers of the row that are not taken have weights of zero
  const kernel = new Float64Array((isFlat ? K : flow.W) * U);
  for (const [k, row] of order.entries()) for (let u = 0; u < U; u++) kernel[row * U + u] += weights.data[k * U + u];
  const dense = { kind: "dense", units: U, kernel, bias: Float64Array.from({ length: U }, (_, u) => bias?.(u) ?? 0) } as const;
  const next: Flow = isFlat ? extend(extend(flow, [{ kind: "flatten", steps: flow.R }], 1), [dense], 1) : extend(flow, [dense], flow.R);
  const codes = lines.flatMap((line) => {
    const { n, r } = placeOf(flow, line[0]);
    return Array.from({ length: U }, (_, u) => codeOf(next, n, isFlat ? 0 : r, u));
  });
  return { flow: next, codes: { dims: [...traced.codes.dims.slice(0, -1), U], data: Float64Array.from(codes) } };
}

/** Rows by a constant matrix or vector, or steps by their weights. */
export function traceMatMul({ inputs, constant }: TracedNode): readonly Traced[] {
  const [a, b] = inputs;
  const summed = a && b && sumByProduct(a, b);
  if (summed) return [summed];
  const weights = constant(1);
  if (a && !b && weights?.dims.length === 1) return [dropLastAxis(traceDense(a, reshape(weights, [weights.data.length, 1]), undefined))];
  if (!a || b || weights?.dims.length !== 2) return unlike("multiplies by something else than a constant matrix");
  return [traceDense(a, weights, undefined)];
}

/** A tensor whose last axis has one number, without that axis. */
function dropLastAxis({ flow, codes }: Traced): Traced {
  return { flow, codes: reshape(codes, codes.dims.slice(0, -1)) };
}

/** Rows by a constant matrix or vector, as Einsum writes it: `ntf,fu->ntu`, `...f,uf->...u`, `ntf,f->nt`, the constant first or second. */
export function traceEinsum({ node, inputs, constant }: TracedNode): readonly Traced[] {
  const k = inputs[0] ? 1 : 0;
  const [rows, weights] = [inputs[1 - k], constant(k)];
  if (inputs.length !== 2 || !rows || inputs[k] || !weights) return unlike("multiplies by something else than a constant matrix");
  const ranks = k === 1 ? [rows.codes.dims.length, weights.dims.length] : [weights.dims.length, rows.codes.dims.length];
  const { terms, result } = readEquation(node.attributes.get("equation"), ranks);
  const [line, matrix] = [terms[1 - k], terms[k]];
  const [left, summed] = [line.slice(0, -1), line.slice(-1)];
  const isPlain = new Set(line).size === line.length;
  if (isPlain && matrix === summed && result === left)
    return [dropLastAxis(traceDense(rows, reshape(weights, [weights.data.length, 1]), undefined))];
  const unit = result.slice(-1);
  if (!isPlain || result !== left + unit || line.includes(unit) || (matrix !== summed + unit && matrix !== unit + summed))
    return unlike(`sums by ${terms.join()}->${result}, which is no row by a matrix`);
  const isTurned = matrix === unit + summed;
  return [traceDense(rows, isTurned ? build(weights.dims.toReversed(), (index) => at(weights, index.toReversed())) : weights, undefined)];
}

/** Rows by a constant matrix, and its bias. */
export function traceGemm({ node, inputs, constant }: TracedNode): readonly Traced[] {
  const [a, b, c] = inputs;
  const given = constant(1);
  if (!a || b || c || given?.dims.length !== 2 || number(node, "transA", 0) !== 0)
    return unlike("multiplies by something else than a constant matrix");
  const [alpha, beta] = [number(node, "alpha", 1), number(node, "beta", 1)];
  const isTurned = number(node, "transB", 0) !== 0;
  const dims = isTurned ? given.dims.toReversed() : given.dims;
  const weights = build(dims, (index) => alpha * at(given, isTurned ? index.toReversed() : index));
  const bias = node.inputs[2] ? constant(2) : undefined;
  return [traceDense(a, weights, bias && ((u) => beta * at(bias, [0, u])))];
}
