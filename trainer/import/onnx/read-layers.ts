// A graph of any layers → ImportedNetwork: the sequences' numbers are followed from the input to the output, operator by operator.
// Legend: N sequences, T steps, F features.
import { describeLayers } from "../../../shared/networks/describe-layers.ts";
import { MAX_FEATURES, MAX_TIMESTEPS } from "../../../shared/sequence.ts";
import { logitOf, settleLayers } from "../contract/draft-layers.ts";
import { splitFront } from "../contract/front.ts";
import { type ImportedNetwork, sigmoid } from "../contract/imported-network.ts";
import { rejectFile, SECOND_ENGINE } from "../contract/reject-file.ts";
import { makersOf, readBy } from "./dependence.ts";
import type { Graph, Port } from "./file.ts";
import { codeOf, type Flow, selectRow, type Traced } from "./flow.ts";
import { findOutput } from "./head.ts";
import { inlineBranches } from "./inline-branches.ts";
import { attempt, createEvaluator, describeNode, fixOf } from "./interpreter.ts";
import { answerOf, describeLengths, feed, type Layout, layoutsOf, shapeOf } from "./layout.ts";
import { readMaskValue, VALID_NUMBER } from "./mask.ts";
import { findNormalisations } from "./normalisations.ts";
import type { Body, Node, Tensor } from "./operators/node.ts";
import { build } from "./operators/tensors.ts";
import { TRACES } from "./trace.ts";
import { normaliseRows } from "./trace-rowwise.ts";

/** Reads a graph as layers. `timesteps` as the user says it. Throws DataError naming the operator that is no layer. */
export function readLayers(graph: Graph, source: string, timesteps: number | null, isLogit: boolean): ImportedNetwork {
  const { input, lengths } = findInputs(graph, source);
  const F = input.dims[2] ?? 0;
  const failures: unknown[] = [];
  for (const layout of layoutsOf(input, lengths?.name ?? null, timesteps)) {
    try {
      return readAs(layout, F, { graph, source, isLogit });
    } catch (error) {
      failures.push(error);
    }
  }
  if (failures.length > 0 && isUnrolled(graph, input))
    rejectFile(
      source,
      "computes each step by nodes of its own, as a cell in a loop of Python leaves them (LSTMCell, unroll=True), or PyTorch's newer exporter an RNN",
      `export the recurrent layer itself, which takes the cell's weights (nn.LSTM, nn.GRU, nn.RNN with dynamo=False; Keras without unroll), or import the .keras file where Keras runs on PyTorch; ${SECOND_ENGINE}`,
    );
  throw (
    failures[0] ??
    rejectFile(source, `takes ${input.name} of shape (${shapeOf(input)})`, `quickstep runs up to ${MAX_TIMESTEPS} steps; ${SECOND_ENGINE}`)
  );
}

/** The one input of sequences, and the one of lengths where there is one. */
function findInputs({ inputs }: Graph, source: string): { input: Port; lengths: Port | undefined } {
  const [input, ...more] = inputs.filter(({ dims }, k) => dims.length === 3 && (k === 0 || dims.some((size) => size === null)));
  const others = inputs.filter((port) => port !== input);
  const lost = inputs.slice(1).find(({ dims }) => dims.length > 0 && dims.every((size) => size !== null));
  if (lost)
    rejectFile(
      source,
      `takes ${lost.name} (${shapeOf(lost)}) as an input beside the sequences: numbers that a layer has, which the export left out of the file`,
      "import the model that was exported (.keras, .h5, model.json) instead",
    );
  const lengths = others.length === 1 && others[0].dims.length <= 1 ? others[0] : undefined;
  if (input === undefined || more.length > 0 || (others.length > 0 && lengths === undefined))
    return rejectFile(
      source,
      `takes ${inputs.map((port) => `${port.name} (${shapeOf(port)})`).join(", ") || "no input"}`,
      `quickstep gives a model one array of sequences, (sequences, steps, features), and their lengths; ${SECOND_ENGINE}`,
    );
  const F = input.dims[2];
  if (F === null || F > MAX_FEATURES)
    rejectFile(
      source,
      `takes ${F ?? "any number of"} features a step (${shapeOf(input)})`,
      `expected 1 to ${MAX_FEATURES}: export the model with a fixed number; ${SECOND_ENGINE}`,
    );
  return { input, lengths };
}

/** Whether nodes take the steps of the sequences one by one. */
function isUnrolled(graph: Graph, { name, dims }: Port): boolean {
  const depends = dependents(graph, name);
  const taken = new Map<string, number>();
  for (const { operator, inputs, outputs, attributes } of graph.nodes) {
    const axis = attributes.get("axis") ?? attributes.get("axes") ?? (operator === "Slice" && graph.constants.get(inputs[3])?.data[0]) ?? 0;
    if (/^(Gather|Slice|Split)$/.test(operator) && depends.has(inputs[0]) && Number(axis) <= 1)
      taken.set(inputs[0], (taken.get(inputs[0]) ?? 0) + outputs.length);
  }
  const most = Math.max(0, ...taken.values());
  return dims.slice(0, 2).some((T) => T !== null && most >= Math.max(3, T / 2)); // windows and pooling leave fewer steps
}

interface Reading {
  readonly graph: Graph;
  readonly source: string;
  readonly isLogit: boolean;
}

function readAs(layout: Layout, F: number, { graph, source, isLogit }: Reading): ImportedNetwork {
  const output = findOutput(graph, source);
  const { flow, masks } = traceOutput(inlineBranches(graph, layout, F, source), layout, F, output, source);
  const mask = masks.size > 0 ? readMaskValue(graph, layout, F, masks, source) : undefined;
  const logit = logitOf(flow.layers, F, isLogit);
  if (typeof logit === "string")
    return rejectFile(
      source,
      logit,
      `quickstep answers the probability of a sigmoid of one number or a softmax of two (--logits where one number is a logit); ${SECOND_ENGINE}`,
    );
  const { front, layers } = splitFront(logit.layers, F);
  const network = settleLayers(layers, F);
  const words = "layers" in network ? describeLayers(network) : `LSTM(${network.units}) → Dense(1)`;
  return {
    format: `ONNX, opset ${graph.opset}, from ${graph.producer || "an unnamed producer"}`,
    findings: [
      `${words} on ${F} features`,
      `input ${layout.input} is (${layout.batchFirst ? "sequences, steps" : "steps, sequences"}, features)`,
      logit.classes === 2
        ? "head: a softmax of two, whose second number is the probability of class 1"
        : isLogit
          ? "a sigmoid stands behind the output, as --logits says"
          : "head: a sigmoid",
      mask === undefined ? describeLengths(layout) : `a mask passes over rows of ${mask} wherever they stand`,
    ],
    timesteps: layout.isFree ? null : layout.T,
    padding: mask === undefined ? (layout.lengths === null ? "none" : "leading") : mask === 0 ? "any" : null,
    ...(mask !== undefined && mask !== 0 && { mask }),
    front,
    network,
    forward(rows) {
      const answer = answerOf(graph, layout, F, output, rows, source);
      return logit.classes === 2 ? answer[1] : isLogit ? sigmoid(answer[0]) : answer[0];
    },
  };
}

/** The output as a flow of one row, and the names of masks. Throws DataError naming the operator that is no layer. */
function traceOutput(
  graph: Graph,
  layout: Layout,
  F: number,
  output: string,
  source: string,
): { readonly flow: Flow; readonly masks: ReadonlySet<string> } {
  const { N, T, batchFirst, input } = layout;
  const start: Flow = { layers: [], R: T, W: F };
  const codes = build(batchFirst ? [N, T, F] : [T, N, F], ([a, b, f]) => codeOf(start, batchFirst ? a : b, batchFirst ? b : a, f));
  const numbers = createEvaluator(
    graph,
    feed(layout, F, () => VALID_NUMBER),
    source,
  );
  const known = new Map<string, Traced | undefined>([[input, { flow: start, codes }]]);
  const depends = dependents(graph, input);
  const makers = makersOf(graph);
  const normalisations = findNormalisations(graph, depends, numbers, source);
  const underway = new Set<string>();
  const masks = new Set<string>();
  const around: Around = {
    trace: (name) => trace(name),
    numbers,
    evaluateBody: (body, given) => createEvaluator(body, given, source, numbers),
    keepMask: (name) => masks.add(name),
  };
  const trace = (name: string): Traced | undefined => {
    if (known.has(name) || !depends.has(name)) return known.get(name);
    const normalisation = normalisations.get(name);
    if (normalisation) {
      const rows = trace(normalisation.input)!;
      known.set(
        name,
        attempt(makers.get(name)!, () => normaliseRows(rows, normalisation), source),
      );
      return known.get(name);
    }
    const node = makers.get(name);
    if (node === undefined || underway.has(name))
      return rejectFile(source, `needs ${name}, which no node computes first`, "the file is damaged: export the model again");
    underway.add(name);
    const outputs = traceNode(node, around, source);
    for (const [k, one] of node.outputs.entries()) if (one !== "") known.set(one, outputs[k]);
    return known.get(name);
  };
  const traced = trace(output);
  if (traced === undefined) return rejectFile(source, `answers ${output} whatever the sequences are`, "export the model for inference");
  const end: Node = { operator: "output", name: output, inputs: [], outputs: [], attributes: new Map() };
  return { flow: attempt(end, () => selectRow(traced), source).flow, masks };
}

/** The graph around a node. */
interface Around {
  readonly trace: (name: string) => Traced | undefined;
  readonly numbers: (name: string) => Tensor;
  readonly evaluateBody: (body: Body, given: ReadonlyMap<string, Tensor>) => (name: string) => Tensor;
  readonly keepMask: (name: string) => void;
}

function traceNode(node: Node, { trace, numbers, ...around }: Around, source: string): readonly (Traced | undefined)[] {
  const inputs = node.inputs.map((name) => (name === "" ? undefined : trace(name)));
  const rule = TRACES.get(node.operator);
  return attempt(
    node,
    () => {
      if (rule === undefined) return rejectOperator(node, source);
      const constant = (k: number): Tensor | undefined => (node.inputs[k] ? numbers(node.inputs[k]) : undefined);
      return rule({ node, inputs, constant, scope: (name) => trace(name) ?? numbers(name), ...around });
    },
    source,
  );
}

/** What makes no number of the sequences' numbers, but asks for them: shapes, and masks, of which readMaskValue proves what they say. */
const ASKING = /^(Shape|Size|Equal|Less|LessOrEqual|Greater|GreaterOrEqual|And|Or|Not)$/;

/** Throws DataError: what the operator is, and the way forward. */
function rejectOperator(node: Node, source: string): never {
  const what = describeNode(node);
  if (node.operator === "If")
    rejectFile(
      source,
      `${what} chooses by the sequences' numbers what is computed`,
      `export a model that computes the same for all sequences; ${SECOND_ENGINE}`,
    );
  rejectFile(source, `${what} is no layer that quickstep runs`, fixOf(node));
}

/** Every tensor that depends on the numbers of `input`; a shape does not, and a mask is taken as that of valid rows. */
function dependents(graph: Graph, input: string): ReadonlySet<string> {
  const found = new Set([input]);
  for (let before = -1; before < found.size; ) {
    before = found.size;
    for (const node of graph.nodes)
      if (node.operator === "If" || (!ASKING.test(node.operator) && readBy(node).some((name) => found.has(name))))
        for (const output of node.outputs) if (output !== "") found.add(output);
  }
  return found;
}
