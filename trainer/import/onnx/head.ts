// What stands behind a graph's LSTM: from the last state to the logit, which must be linear. Zeros, units and noise in place of the
// LSTM's outputs tell the head's bias, its weights, and that nothing else is read.
// Legend: N sequences, T steps, U units.
import { createRandom } from "../../statistics/random.ts";
import { STREAMS } from "../../statistics/random-streams.ts";
import { rejectFile, SECOND_ENGINE } from "../contract/reject-file.ts";
import { dependsOn } from "./dependence.ts";
import type { Graph } from "./file.ts";
import { evaluate } from "./interpreter.ts";
import { feed, type Layout, near } from "./layout.ts";
import type { Tensor } from "./operators/node.ts";
import type { RecurrentGraph } from "./recurrent.ts";

export interface Head {
  /** The graph's output. */
  readonly output: string;
  /** (U) and (1): the last state to the logit of class 1. */
  readonly weights: Float32Array;
  readonly bias: Float32Array;
  /** 2 behind a softmax, whose second number is the probability of class 1. */
  readonly classes: 1 | 2;
}

/** So large that what it is added to is lost beside it: a weight comes out to its last bit. */
const PROBE = 2 ** 60;

/** The last activation of the graph: its name, and the tensor that goes into it. */
interface Activation {
  readonly operator: "Sigmoid" | "Softmax";
  readonly logit: string;
}

/** Logits (N) where the last state (N,U) is `state`, and whatever else the LSTM gives, and the graph's input, are `other`. */
type Logits = (state: (n: number, u: number) => number, other: () => number) => Float64Array;

/** The head as one linear layer. Throws DataError where it is none, or reads more than the last state. */
export function readHead(recurrent: RecurrentGraph, layout: Layout): Head {
  const { source, graph, node, U } = recurrent;
  const output = findOutput(graph, source);
  const activation = findActivation(graph, output, source);
  const logits = probeLogits(recurrent, layout, activation);
  const random = createRandom(2, STREAMS.generatedData);
  const [zero, noise] = [() => 0, () => random.normal()];
  const [bias] = logits(zero, zero);
  if (logits(zero, noise).some((z) => !near(z, bias)))
    rejectFile(
      source,
      "reads more than the last state of its LSTM (earlier steps, its cell, or the input again)",
      `quickstep's head sees the last state only; ${SECOND_ENGINE}`,
    );
  const unit = (u: number) => (_: number, v: number) => (v === u ? PROBE : 0);
  const weights = Float64Array.from({ length: U }, (_, u) => (logits(unit(u), zero)[0] - bias) / PROBE);
  const states = Float64Array.from({ length: layout.N * U }, () => random.uniform());
  const mixed = logits((n, u) => states[n * U + u], noise);
  for (const [n, logit] of mixed.entries()) {
    const expected = weights.reduce((sum, weight, u) => sum + weight * states[n * U + u], bias);
    if (!near(logit, expected))
      rejectFile(
        source,
        "has a head that is not linear, or that mixes sequences",
        `quickstep runs one linear layer behind the LSTM; ${SECOND_ENGINE}`,
      );
  }
  if (layout.lengths !== null && node.outputs[0] && dependsOn(graph, activation.logit, node.outputs[0]))
    rejectFile(source, "reads the last row of Y, although sequences may be shorter", "read Y_h, the state at each one's own length");
  return { output, weights: Float32Array.from(weights), bias: Float32Array.of(bias), classes: activation.operator === "Softmax" ? 2 : 1 };
}

/** The one output. Throws DataError where there are more, or none. */
export function findOutput({ outputs }: Graph, source: string): string {
  if (outputs.length !== 1)
    rejectFile(
      source,
      `has ${outputs.length} outputs (${outputs.map(({ name }) => name).join(", ")})`,
      "quickstep answers one probability: export that output alone",
    );
  return outputs[0].name;
}

/** The Sigmoid or Softmax from which the output comes, through nothing but changes of shape. */
function findActivation(graph: Graph, output: string, source: string): Activation {
  let name = output;
  for (let hops = 0; hops < graph.nodes.length; hops++) {
    const maker = graph.nodes.find(({ outputs }) => outputs.includes(name));
    if (maker === undefined) break;
    if (maker.operator === "Sigmoid" || maker.operator === "Softmax") return { operator: maker.operator, logit: maker.inputs[0] };
    if (!/^(Identity|Reshape|Squeeze|Unsqueeze|Flatten|Cast)$/.test(maker.operator))
      rejectFile(
        source,
        `ends in ${maker.operator}, not in a Sigmoid`,
        "export a model that answers a probability: wrap the model in a sigmoid",
      );
    name = maker.inputs[0];
  }
  return rejectFile(source, `ends in ${output}, and no Sigmoid makes ${output}`, "export a model that answers a probability");
}

/** Evaluates the graph behind the LSTM, with tensors given for the LSTM's outputs. */
function probeLogits({ source, graph, node, U, F, settings }: RecurrentGraph, layout: Layout, { operator, logit }: Activation): Logits {
  const { N, T } = layout;
  const { batchFirst, reverse } = settings;
  const final = reverse ? 0 : T - 1;
  const [y, h, c] = node.outputs;
  const lastDims = batchFirst ? [N, 1, U] : [1, N, U];
  return (state, other) => {
    const given = new Map(feed(layout, F, other));
    const rows = (at: number): number => {
      const [n, t] = batchFirst ? [Math.floor(at / (T * U)), Math.floor(at / U) % T] : [Math.floor(at / U) % N, Math.floor(at / (N * U))];
      return t === final ? state(n, at % U) : other();
    };
    if (y) given.set(y, fill(batchFirst ? [N, T, 1, U] : [T, 1, N, U], rows));
    const lastState = (at: number): number => state(Math.floor(at / U), at % U);
    if (h) given.set(h, fill(lastDims, lastState));
    if (c) given.set(c, fill(lastDims, other));
    const { data } = evaluate(graph, given, logit, source);
    const classes = data.length / N;
    if (classes !== (operator === "Softmax" ? 2 : 1))
      rejectFile(source, `answers ${classes} numbers for a sequence`, "quickstep answers one probability");
    return classes === 2 ? Float64Array.from({ length: N }, (_, n) => data[2 * n + 1] - data[2 * n]) : data;
  };
}

function fill(dims: readonly number[], valueAt: (at: number) => number): Tensor {
  return { dims, data: Float64Array.from({ length: dims.reduce((a, b) => a * b) }, (_, at) => valueAt(at)) };
}
