// Evaluates an ONNX graph in float64: a slow, obvious interpreter, by which a graph is understood and an import is checked.
import { rejectFile, SECOND_ENGINE } from "../contract/reject-file.ts";
import { makersOf } from "./dependence.ts";
import type { Graph } from "./file.ts";
import type { Node, Tensor } from "./operators/node.ts";
import { misfit, OperatorError } from "./operators/operator.ts";
import { OPERATORS } from "./operators/table.ts";

/**
 * The tensor called `wanted`. `given` goes before what the graph would compute. Throws DataError naming the operator that is not
 * supported or does not fit its inputs.
 */
export function evaluate(graph: Graph, given: ReadonlyMap<string, Tensor>, wanted: string, source: string): Tensor {
  return createEvaluator(graph, given, source)(wanted);
}

/** As evaluate, for many tensors: each node is computed once. */
export function createEvaluator(graph: Graph, given: ReadonlyMap<string, Tensor>, source: string): (wanted: string) => Tensor {
  const known = new Map(given);
  const makers = makersOf(graph);
  const underway = new Set<string>();
  const compute = (name: string): Tensor => {
    const value = known.get(name) ?? graph.constants.get(name);
    if (value) return value;
    const node = makers.get(name);
    if (node === undefined || underway.has(name))
      return rejectFile(source, `needs ${name}, but no node computes ${name}`, `store ${name} in the file as a constant`);
    underway.add(name);
    const outputs = evaluateNode(node, compute, source);
    for (const [k, output] of node.outputs.entries()) if (output !== "" && outputs[k] && !known.has(output)) known.set(output, outputs[k]);
    underway.delete(name);
    return (
      known.get(name) ??
      rejectFile(source, `needs ${name}, but ${node.operator} does not give ${name} here`, "export the model for inference")
    );
  };
  return compute;
}

function evaluateNode(node: Node, compute: (name: string) => Tensor, source: string): readonly Tensor[] {
  const operator = OPERATORS.get(node.operator);
  if (operator === undefined) return rejectFile(source, `${describeNode(node)} is not supported`, SECOND_ENGINE);
  const isVariadic = operator.inputs.at(-1)?.endsWith("…");
  const taken = isVariadic ? node.inputs : node.inputs.slice(0, operator.inputs.length);
  const inputs = taken.map((name) => (name === "" ? undefined : compute(name)));
  return attempt(node, () => operator.evaluate(inputs, node.attributes), source);
}

/**
 * What `action` makes of `node`. Attributes and shapes come from the file, so that whatever an operator cannot make of them is the
 * file's fault: throws DataError.
 */
export function attempt<T>(node: Node, action: () => T, source: string): T {
  try {
    return translate(action);
  } catch (error) {
    if (!(error instanceof OperatorError)) throw error;
    return rejectFile(source, `${describeNode(node)} ${error.problem}`, error.fix);
  }
}

/** Indices beyond an array and lengths that no array has are misfits, too. */
function translate<T>(action: () => T): T {
  try {
    return action();
  } catch (error) {
    if (error instanceof TypeError || error instanceof RangeError) return misfit(error.message);
    throw error;
  }
}

/** `the operator Add (/rnn/Add)` */
export function describeNode({ operator, name }: Node): string {
  return `the operator ${operator}${name ? ` (${name})` : ""}`;
}
