// Tensors of two flows that a graph adds or multiplies, number by number.
// Legend: N sequences, R rows, W width.

import { codeOf, extend, type Flow, placeOf, type Traced, unlike } from "./flow.ts";
import { alignRows, branchOut } from "./join.ts";
import { joinDirections } from "./join-directions.ts";
import { broadcast, build, at as numberAt } from "./operators/tensors.ts";
import { multiplyByWeights } from "./trace-attention.ts";

/** A column of each of two flows. */
type Pair = readonly [a: number, b: number];

/** The sum or the product of both. Throws OperatorError where a number of one meets a number of another row or sequence. */
export function mergeFlows(a: Traced, b: Traced, merge: "sum" | "mul"): Traced {
  const weighted = merge === "mul" ? multiplyByWeights(a, b) : undefined;
  if (weighted) return weighted;
  const dims = broadcast(a.codes.dims, b.codes.dims);
  const aligned = alignRows([a, b].map(({ flow, codes }) => ({ flow, codes: build(dims, (index) => numberAt(codes, index)) })));
  const [first, second] = joinDirections(aligned) ?? aligned;
  const columns = new Map<number, number>(); // of the result, by the pair that meets there
  const pairs: Pair[] = [];
  const places = [...first.codes.data].map((code, k) => {
    const [one, other] = [placeOf(first.flow, code), placeOf(second.flow, second.codes.data[k])];
    if (one.n !== other.n || one.r !== other.r) unlike("joins different steps or sequences");
    const key = one.w * second.flow.W + other.w;
    if (!columns.has(key)) columns.set(key, pairs.push([one.w, other.w]) - 1);
    return { ...one, w: columns.get(key)! };
  });
  const flow = mergeHalves(first.flow, second.flow, pairs, merge) ?? mergeColumns(first.flow, second.flow, pairs, merge);
  return { flow, codes: { dims, data: Float64Array.from(places, ({ n, r, w }) => codeOf(flow, n, r, w)) } };
}

/** Both directions of one bidirectional layer, merged in the layer itself; undefined where the pairs are something else. */
function mergeHalves(a: Flow, b: Flow, pairs: readonly Pair[], merge: "sum" | "mul"): Flow | undefined {
  const layer = a.layers.at(-1);
  if (a !== b || layer?.kind !== "bidirectional" || layer.merge !== "concat") return undefined;
  const U = layer.forward.units;
  const isHalved = (offsetA: number, offsetB: number): boolean =>
    pairs.every(([one, other], u) => one === offsetA + u && other === offsetB + u);
  if (layer.backward.units !== U || pairs.length !== U || !(isHalved(0, U) || isHalved(U, 0))) return undefined;
  return { layers: [...a.layers.slice(0, -1), { ...layer, merge }], R: a.R, W: U };
}

function mergeColumns(a: Flow, b: Flow, pairs: readonly Pair[], merge: "sum" | "mul"): Flow {
  const chosen = ([a, b] as const).map((flow, side) =>
    chooseColumns(
      flow,
      pairs.map((pair) => pair[side]),
    ),
  );
  return branchOut(chosen, merge, pairs.length);
}

/** The flow of these columns alone, in this order: a dense layer of zeros and ones, which is exact. */
function chooseColumns(flow: Flow, columns: readonly number[]): Flow {
  const { W, R } = flow;
  const units = columns.length;
  if (units === W && columns.every((w, k) => w === k)) return flow;
  const kernel = new Float64Array(W * units);
  for (const [u, w] of columns.entries()) kernel[w * units + u] = 1;
  return extend(flow, [{ kind: "dense", units, kernel, bias: new Float64Array(units) }], R);
}
