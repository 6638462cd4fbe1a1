// What stands behind a graph's LSTM: from the last state to the logit, which must be linear, so that zeros, units and noise in the
// LSTM's place tell its bias, its weights, and that nothing else is read.
// Legend: T steps, N sequences, U units.
import { createRandom } from "../../statistics/random.ts";
import { STREAMS } from "../../statistics/random-streams.ts";
import { rejectFile } from "../contract/reject-file.ts";
import type { Graph } from "./file.ts";
import { type Context, feed, type Layout, near } from "./front.ts";
import { evaluate } from "./interpreter.ts";
import type { Tensor } from "./operators/node.ts";

/** So large that what it is added to is lost beside it: a weight comes out to its last bit. */
const PROBE = 2 ** 60;

/** From the last state to the logit: a linear function, asked for its bias and weights. */
export function readHead(context: Context, layout: Layout): { output: string; weights: Float32Array; bias: Float32Array; classes: 1 | 2 } {
  const { graph, source, node, U, F, settings } = context;
  if (graph.outputs.length !== 1)
    rejectFile(
      source,
      `has ${graph.outputs.length} outputs (${graph.outputs.map(({ name }) => name).join(", ")})`,
      "quickstep answers one probability: export that output alone",
    );
  const output = graph.outputs[0].name;
  const last = lastActivation(context, output);
  const { N, T } = layout;
  const random = createRandom(2, STREAMS.generatedData);
  const noise = (): number => random.normal();
  const final = settings.reverse ? 0 : T - 1;
  /** The logits (N) where the last state is `state` (N,U), and everything else is `other`. */
  const logits = (state: (n: number, u: number) => number, other: () => number): Float64Array => {
    const [y, h, c] = node.outputs;
    const tensor = (dims: number[], value: (at: number) => number): Tensor => ({
      dims,
      data: Float64Array.from({ length: dims.reduce((a, b) => a * b) }, (_, at) => value(at)),
    });
    const lastDims = settings.batchFirst ? [N, 1, U] : [1, N, U];
    const given = new Map(feed(layout, F, other));
    if (y)
      given.set(
        y,
        tensor(settings.batchFirst ? [N, T, 1, U] : [T, 1, N, U], (at) => {
          const [n, t] = settings.batchFirst
            ? [Math.floor(at / (T * U)), Math.floor(at / U) % T]
            : [Math.floor(at / U) % N, Math.floor(at / (N * U))];
          return t === final ? state(n, at % U) : other();
        }),
      );
    if (h)
      given.set(
        h,
        tensor(lastDims, (at) => state(Math.floor(at / U), at % U)),
      );
    if (c) given.set(c, tensor(lastDims, other));
    const { data } = evaluate(graph, given, last.logit, source);
    const classes = data.length / N;
    if (classes !== (last.operator === "Softmax" ? 2 : 1))
      rejectFile(source, `answers ${classes} numbers for a sequence`, "quickstep answers one probability");
    return classes === 2 ? Float64Array.from({ length: N }, (_, n) => data[2 * n + 1] - data[2 * n]) : data;
  };
  const bias = logits(
    () => 0,
    () => 0,
  );
  if (logits(() => 0, noise).some((z) => !near(z, bias[0])))
    rejectFile(
      source,
      "reads more than the last state of its LSTM (earlier steps, its cell, or the input again)",
      "quickstep's head sees the last state only",
    );
  const weights = Float64Array.from(
    { length: U },
    (_, u) =>
      (logits(
        (_, v) => (v === u ? PROBE : 0),
        () => 0,
      )[0] -
        bias[0]) /
      PROBE,
  );
  const states = Float64Array.from({ length: N * U }, () => random.uniform());
  const mixed = logits((n, u) => states[n * U + u], noise);
  for (let n = 0; n < N; n++) {
    const expected = weights.reduce((sum, weight, u) => sum + weight * states[n * U + u], bias[0]);
    if (!near(mixed[n], expected))
      rejectFile(source, "has a head that is not linear, or that mixes sequences", "quickstep runs one linear layer behind the LSTM");
  }
  if (layout.lengths !== null && node.outputs[0] && dependsOn(graph, last.logit, node.outputs[0]))
    rejectFile(source, "reads the last row of Y, although sequences may be shorter", "read Y_h, the state at each one's own length");
  return { output, weights: Float32Array.from(weights), bias: Float32Array.from([bias[0]]), classes: last.operator === "Softmax" ? 2 : 1 };
}

/** The Sigmoid or Softmax from which the output comes, through nothing but changes of shape. */
function lastActivation({ graph, source }: Context, output: string): { operator: string; logit: string } {
  let name = output;
  for (let hops = 0; hops < graph.nodes.length; hops++) {
    const maker = graph.nodes.find(({ outputs }) => outputs.includes(name));
    if (maker === undefined) break;
    if (maker.operator === "Sigmoid" || maker.operator === "Softmax") return { operator: maker.operator, logit: maker.inputs[0] };
    if (!/^(Identity|Reshape|Squeeze|Unsqueeze|Flatten|Cast)$/.test(maker.operator))
      rejectFile(source, `ends in ${maker.operator}, not in a Sigmoid`, "export a model that answers a probability: wrap it in a sigmoid");
    name = maker.inputs[0];
  }
  return rejectFile(source, `ends in ${output}, which no Sigmoid makes`, "export a model that answers a probability");
}

function dependsOn(graph: Graph, name: string, wanted: string): boolean {
  if (name === wanted) return true;
  const maker = graph.nodes.find(({ outputs }) => outputs.includes(name));
  return maker !== undefined && maker.operator !== "LSTM" && maker.inputs.some((input) => input !== "" && dependsOn(graph, input, wanted));
}
