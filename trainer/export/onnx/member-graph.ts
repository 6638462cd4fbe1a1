// Linear and tree members, and the stack, as ONNX nodes on columns (N,V) float64. Trees are ai.onnx.ml's TreeEnsembleRegressor with
// float64 thresholds: github.com/onnx/onnx/blob/main/docs/Operators-ml.md.
// Legend: N sequences, V columns, W columns that a linear member looks at.
import { LINEAR_CLIP, type LinearClassifier } from "../../../shared/linear.ts";
import { MEMBER_CLIP, type Stack } from "../../../shared/members.ts";
import type { Calibration } from "../../../shared/networks/lstm.ts";
import { LEAF, MISSING_LEFT, type TreeEnsemble } from "../../../shared/trees.ts";
import type { Builder } from "./builder.ts";
import { int, ints, node, raw, strings, tensor, tensorAttribute } from "./graph.ts";
import { type AttributeProto, DOUBLE, FLOAT } from "./schema.ts";

export const ML_DOMAIN = "ai.onnx.ml";
/** The first with float64 thresholds. */
export const ML_OPSET = 3;

/** The logit (N,1) float64 of a linear member, by name. */
export function buildLinear(build: Builder, { columns, mean, scale, weights, intercept }: LinearClassifier, input: string): string {
  const { op, doubles, indices, number, zero } = build;
  const W = columns.length;
  if (W === 0) return buildConstant(build, intercept, input);
  const looked = op("Gather", [input, indices(...columns)], [int("axis", 1)]);
  const standardised = op("Div", [op("Sub", [looked, doubles(mean, [1, W])]), doubles(scale, [1, W])]);
  const there = op("Where", [op("IsNaN", [standardised]), zero, build.clip(standardised, LINEAR_CLIP)]);
  return op("Add", [op("MatMul", [there, doubles(weights, [W, 1])]), number(intercept)]);
}

/** The logit (N,1) float64 of trees, by name; the operator itself answers float32. */
export function buildTrees(build: Builder, ensemble: TreeEnsemble, input: string): string {
  if (ensemble.roots.length === 0) return buildConstant(build, ensemble.base, input);
  const name = `trees${build.nodes.length}`;
  build.nodes.push({ ...node("TreeEnsembleRegressor", [input], name, ...describeTrees(ensemble)), domain: ML_DOMAIN });
  return build.cast(name, DOUBLE);
}

/** One number (N,1) for every row of `input` (N,V). */
function buildConstant({ op, indices, number }: Builder, value: number, input: string): string {
  const column = op("Gather", [input, indices(0)], [int("axis", 1)]);
  return op("Where", [op("IsNaN", [column]), number(value), number(value)]);
}

function describeTrees(ensemble: TreeEnsemble): AttributeProto[] {
  const { edgeStart, edges, column, edge, next, leaves, base } = ensemble;
  const { tree, id } = numberNodes(ensemble);
  const nodes = Array.from({ length: column.length }, (_, n) => n);
  const ends = nodes.filter((n) => column[n] === LEAF);
  /** 0 for a leaf, whose number is not looked at. */
  const ofSplits = (value: (n: number) => number): number[] => nodes.map((n) => (column[n] === LEAF ? 0 : value(n)));
  const numbers = (name: string, values: number[]): AttributeProto =>
    tensorAttribute(name, tensor(name, DOUBLE, [values.length], raw(Float64Array.from(values))));
  const modes = nodes.map((n) => (column[n] === LEAF ? "LEAF" : "BRANCH_LEQ"));
  const thresholds = ofSplits((n) => edges[edgeStart[column[n]] + (edge[n] & ~MISSING_LEFT)]);
  const missingLeft = ofSplits((n) => Number((edge[n] & MISSING_LEFT) !== 0));
  return [
    int("n_targets", 1),
    ints("nodes_treeids", tree),
    ints("nodes_nodeids", id),
    ints(
      "nodes_featureids",
      ofSplits((n) => column[n]),
    ),
    strings("nodes_modes", modes),
    numbers("nodes_values_as_tensor", thresholds),
    ints(
      "nodes_truenodeids",
      ofSplits((n) => id[n + 1]),
    ),
    ints(
      "nodes_falsenodeids",
      ofSplits((n) => id[next[n]]),
    ),
    ints("nodes_missing_value_tracks_true", missingLeft),
    ints(
      "target_treeids",
      ends.map((n) => tree[n]),
    ),
    ints(
      "target_nodeids",
      ends.map((n) => id[n]),
    ),
    ints(
      "target_ids",
      ends.map(() => 0),
    ),
    numbers(
      "target_weights_as_tensor",
      ends.map((n) => leaves[next[n]]),
    ),
    numbers("base_values_as_tensor", [base]),
  ];
}

/** (nodes) each node's tree, and its number within it. */
function numberNodes({ roots, column }: TreeEnsemble): { readonly tree: number[]; readonly id: number[] } {
  const tree = new Array<number>(column.length);
  const id = new Array<number>(column.length);
  for (let node = 0, t = -1; node < column.length; node++) {
    if (roots[t + 1] === node) t++;
    tree[node] = t;
    id[node] = node - roots[t];
  }
  return { tree, id };
}

/** Members' `logits` (N,1) float64 each → the probability `scored` (N) float32. */
export function buildStack(build: Builder, { weights, intercept }: Stack, calibration: Calibration, logits: readonly string[]): void {
  const { op, number, indices } = build;
  const stacked = logits.reduce(
    (sum, logit, m) => op("Add", [sum, op("Mul", [number(weights[m]), build.clip(logit, MEMBER_CLIP)])]),
    number(intercept),
  );
  const calibrated = op("Add", [op("Mul", [number(calibration.slope), stacked]), number(calibration.intercept)]);
  const probability = op("Sigmoid", [calibrated]);
  build.cast(op("Reshape", [probability, indices(-1)]), FLOAT, "scored");
}
