// Evaluates an ONNX graph in float64: a slow, obvious interpreter, by which a graph is understood and an import is checked.
import { rejectFile, SECOND_ENGINE } from "../contract/reject-file.ts";
import { makersOf } from "./dependence.ts";
import { type Body, bodyOf, type Node, type Tensor } from "./operators/node.ts";
import { misfit, OperatorError } from "./operators/operator.ts";
import { OPERATORS } from "./operators/table.ts";
import { reshape } from "./operators/tensors.ts";

/** What is evaluated: a graph, or the body of a loop. */
type Evaluable = Pick<Body, "nodes" | "constants">;

/** The most steps of a sequence (shared/sequence.ts): a loop over the steps of one takes no more. */
const MAX_ITERATIONS = 512;

/**
 * The tensor called `wanted`. `given` goes before what the graph would compute. Throws DataError naming the operator that is not
 * supported or does not fit its inputs.
 */
export function evaluate(graph: Evaluable, given: ReadonlyMap<string, Tensor>, wanted: string, source: string): Tensor {
  return createEvaluator(graph, given, source)(wanted);
}

/** As evaluate, for many tensors: each node is computed once. `outside` computes what a body takes of the graph around it. */
export function createEvaluator(
  graph: Evaluable,
  given: ReadonlyMap<string, Tensor>,
  source: string,
  outside?: (wanted: string) => Tensor,
): (wanted: string) => Tensor {
  const known = new Map(given);
  const makers = makersOf(graph);
  const underway = new Set<string>();
  const compute = (name: string): Tensor => {
    const value = known.get(name) ?? graph.constants.get(name);
    if (value) return value;
    const node = makers.get(name);
    if (node === undefined && outside) return outside(name);
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
  const body = bodyOf(node.attributes.get("body"));
  if (node.operator === "Loop" && body) return attempt(node, () => evaluateLoop(node, body, compute, source), source);
  const operator = OPERATORS.get(node.operator);
  if (operator === undefined) return rejectFile(source, `${describeNode(node)} is not supported`, SECOND_ENGINE);
  const isVariadic = operator.inputs.at(-1)?.endsWith("…");
  const taken = isVariadic ? node.inputs : node.inputs.slice(0, operator.inputs.length);
  const inputs = taken.map((name) => (name === "" ? undefined : compute(name)));
  return attempt(node, () => operator.evaluate(inputs, node.attributes), source);
}

/** What a Loop leaves: its carried tensors after the last step, then for each further output of the body that output of all steps. */
function evaluateLoop({ inputs }: Node, body: Body, compute: (name: string) => Tensor, source: string): readonly Tensor[] {
  const [trips, first] = inputs.slice(0, 2).map((name) => (name === "" ? undefined : compute(name).data[0]));
  const most = trips ?? MAX_ITERATIONS + 1;
  const [iterationName, conditionName, ...names] = body.inputs;
  let carried = inputs.slice(2).map(compute);
  if (names.length !== carried.length || body.outputs.length < 1 + names.length) misfit();
  const scans = body.outputs.slice(1 + names.length).map((): Tensor[] => []);
  for (let k = 0, goesOn = first !== 0; goesOn && k < most; k++) {
    if (k >= MAX_ITERATIONS) throw new OperatorError(`does not end after ${MAX_ITERATIONS} steps`, SECOND_ENGINE);
    const given = new Map([[iterationName, scalar(k)], [conditionName, scalar(1)], ...names.map((name, j) => [name, carried[j]] as const)]);
    const step = createEvaluator(body, given, source, compute);
    goesOn = step(body.outputs[0]).data[0] !== 0;
    const next = body.outputs.slice(1).map(step);
    carried = next.slice(0, names.length);
    for (const [j, scan] of scans.entries()) scan.push(next[names.length + j]);
  }
  return [...carried, ...scans.map(stack)];
}

function scalar(value: number): Tensor {
  return { dims: [], data: Float64Array.of(value) };
}

/** Tensors of one shape along a new first axis. */
function stack(tensors: readonly Tensor[]): Tensor {
  const [{ dims }] = tensors.length > 0 ? tensors : misfit("no step");
  return reshape({ dims, data: Float64Array.from(tensors.flatMap(({ data }) => [...data])) }, [tensors.length, ...dims]);
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
