// Attention pooling in a graph: scores of the steps, a softmax over steps, and the sum of the steps that it weights, as a product of matrices or as
// one of numbers that a reduction sums.
// Legend: N sequences, R rows, W width.
import { dividedBy } from "../contract/draft-layers.ts";
import { codeOf, extend, type Flow, placeOf, type Traced, unlike } from "./flow.ts";
import { branchOut } from "./join.ts";
import { at, axisOf, broadcast, build } from "./operators/tensors.ts";

/** Weights of the steps; undefined where the softmax is taken over something else than all steps of each sequence. */
export function weighSteps({ flow, codes }: Traced, axis: number): Traced | undefined {
  const d = axisOf(axis, codes.dims.length);
  if (flow.R === 1 || codes.dims[d] !== flow.R || codes.data.includes(0)) return undefined;
  const first = (index: readonly number[]): number => placeOf(flow, at(codes, index.with(d, 0))).n;
  const isOverSteps = build(codes.dims, (index) => {
    const { n, r } = placeOf(flow, at(codes, index));
    return Number(r === index[d] && n === first(index));
  }).data.every((one) => one === 1);
  if (!isOverSteps) return undefined;
  if (flow.W !== 1) return unlike(`weights each step by ${flow.W} softmaxes over steps, where quickstep has one`);
  return { flow: { layers: [], R: flow.R, W: 1, weighted: { scores: flow } }, codes };
}

/** The steps times their weights, number by number; undefined where neither is weights of steps. */
export function multiplyByWeights(a: Traced, b: Traced): Traced | undefined {
  const sides = sidesOf(a, b);
  if (sides === undefined) return undefined;
  const [weights, values] = sides;
  const { scores } = weights.flow.weighted!;
  const flow: Flow = { layers: [], R: scores.R, W: values.flow.W, weighted: { scores, values: values.flow } };
  const codes = build(broadcast(a.codes.dims, b.codes.dims), (index) => {
    const [weight, { n, r, w }] = [placeOf(weights.flow, at(weights.codes, index)), placeOf(values.flow, at(values.codes, index))];
    if (weight.n !== n || weight.r !== r) unlike("weights steps by the weights of other steps");
    return codeOf(flow, n, r, w);
  });
  return { flow, codes };
}

/** The product of weights and steps as matrices, which sums over steps; undefined where neither is weights of steps. */
export function sumByProduct(a: Traced, b: Traced): Traced | undefined {
  const sides = sidesOf(a, b);
  if (sides === undefined) return undefined;
  const [weights, values] = sides;
  const [left, right] = [a.codes.dims, b.codes.dims];
  const K = left[left.length - 1];
  if (left.length < 2 || right.length < 2 || right[right.length - 2] !== K || K !== values.flow.R)
    return unlike("sums something else than steps");
  const flow = sumOf({ scores: weights.flow.weighted!.scores, values: values.flow });
  const dims = [...broadcast(left.slice(0, -2), right.slice(0, -2)), left[left.length - 2], right[right.length - 1]];
  const codes = build(dims, (index) => {
    const [i, j] = index.slice(-2);
    const terms = Array.from({ length: K }, (_, k) => {
      const [one, other] = [at(a.codes, [...index.slice(0, -2), i, k]), at(b.codes, [...index.slice(0, -2), k, j])];
      const [weight, value] = weights === a ? [one, other] : [other, one];
      return { weight: placeOf(weights.flow, weight), value: placeOf(values.flow, value) };
    });
    const [
      {
        value: { n, w },
      },
    ] = terms;
    const isSum = terms.every(
      ({ weight, value }, k) => value.r === k && weight.r === k && value.n === n && weight.n === n && value.w === w,
    );
    return isSum ? codeOf(flow, n, 0, w) : unlike("weights steps by the weights of other steps");
  });
  return { flow, codes };
}

/** The row that a sum or a mean over all rows of weighted steps leaves. Throws OperatorError for another reduction. */
export function reduceWeighted({ R, W, weighted }: Flow, by: "mean" | "max" | "sum"): Flow {
  const { scores, values } = weighted!;
  if (by === "max" || values === undefined) return unlike("takes weights of steps, of which quickstep sums what they weight");
  const sum = sumOf({ scores, values });
  return by === "mean" ? extend(sum, [dividedBy(R, W)], 1) : sum;
}

/** Values in front of their scores, and the pooling of both. */
function sumOf({ scores, values }: { readonly scores: Flow; readonly values: Flow }): Flow {
  if (scores.R !== values.R) unlike("weights steps by weights of other steps");
  return extend(branchOut([values, scores], "concat", values.W + 1), [{ kind: "attentionPooling" }], 1);
}

/** Weights of steps, and the steps that they are given to. */
function sidesOf(a: Traced, b: Traced): readonly [weights: Traced, values: Traced] | undefined {
  const isWeights = ({ flow }: Traced): boolean => flow.weighted !== undefined && flow.weighted.values === undefined;
  if (!isWeights(a) && !isWeights(b)) return undefined;
  const [weights, values] = isWeights(a) ? [a, b] : [b, a];
  if (values.flow.weighted) return unlike("multiplies steps by two softmaxes over them");
  return [weights, values];
}
