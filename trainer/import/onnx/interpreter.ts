// Evaluates an ONNX graph in float64: a slow, obvious interpreter, by which a graph is understood and an import is checked.
import { rejectFile, SECOND_ENGINE } from "../contract/reject-file.ts";
import { makersOf } from "./dependence.ts";
import { type Body, bodyOf, type Node, numbersOf, type Tensor } from "./operators/node.ts";
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
  if (node.operator === "If") return attempt(node, () => evaluateIf(node, compute, source), source);
  if (node.operator === "Scan" && body) return attempt(node, () => evaluateScan(node, body, compute, source), source);
  const operator = OPERATORS.get(node.operator);
  if (operator === undefined) return rejectFile(source, `${describeNode(node)} is not supported`, fixOf(node));
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

/** The outputs of the branch that the condition takes. */
function evaluateIf({ inputs, attributes }: Node, compute: (name: string) => Tensor, source: string): readonly Tensor[] {
  const taken = compute(inputs[0]).data[0] === 0 ? "else_branch" : "then_branch";
  const body = bodyOf(attributes.get(taken)) ?? misfit(`no ${taken}`);
  return body.outputs.map(createEvaluator(body, new Map(), source, compute));
}

/** Attributes of a Scan: a number for each tensor that it reads or gathers step by step. */
const SCANNED = ["scan_input_axes", "scan_input_directions", "scan_output_axes", "scan_output_directions"];

/** How many inputs of a Scan it carries from step to step; it reads the others. Throws OperatorError where steps are no first axis, or the last comes first. */
export function countCarried({ inputs, attributes }: Node): number {
  if (SCANNED.some((name) => numbersOf(attributes.get(name))?.some((one) => one !== 0)))
    throw new OperatorError("reads other axes than the first, or from the last step on", SECOND_ENGINE);
  const count = Number(attributes.get("num_scan_inputs") ?? 0);
  return count >= 1 && count <= inputs.length ? inputs.length - count : misfit(`num_scan_inputs ${count} of ${inputs.length}`);
}

/** What a Scan leaves: its carried tensors after the last step, then for each further output of the body that output of all steps. */
function evaluateScan(node: Node, body: Body, compute: (name: string) => Tensor, source: string): readonly Tensor[] {
  const { inputs } = node;
  const count = countCarried(node);
  const scanned = inputs.slice(count).map(compute);
  const steps = scanned[0]?.dims[0] ?? misfit("no steps");
  if (steps > MAX_ITERATIONS) throw new OperatorError(`does not end after ${MAX_ITERATIONS} steps`, SECOND_ENGINE);
  if (body.inputs.length !== inputs.length || scanned.some(({ dims }) => dims[0] !== steps)) misfit();
  let carried = inputs.slice(0, count).map(compute);
  const scans = body.outputs.slice(count).map((): Tensor[] => []);
  for (let t = 0; t < steps; t++) {
    const rows = scanned.map(({ dims, data }) =>
      reshape({ dims, data: data.subarray((t * data.length) / steps, ((t + 1) * data.length) / steps) }, dims.slice(1)),
    );
    const step = createEvaluator(body, new Map([...carried, ...rows].map((tensor, k) => [body.inputs[k], tensor])), source, compute);
    const next = body.outputs.map(step);
    carried = next.slice(0, count);
    for (const [j, scan] of scans.entries()) scan.push(next[count + j]);
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

/** What TensorFlow calls operators that ONNX does not have: ReverseV2, TensorListReserve. */
const OF_TENSORFLOW = /^(Tensor(List|Array)\w+|\w+V\d)$/;

/** The way forward for an operator that quickstep does not know. */
export function fixOf({ operator }: Node): string {
  return OF_TENSORFLOW.test(operator)
    ? "it is TensorFlow's, which no ONNX runtime runs: convert the model with a newer opset (tf2onnx --opset 15)"
    : SECOND_ENGINE;
}

/** `the operator Add (/rnn/Add)` */
export function describeNode({ operator, name }: Node): string {
  return `the operator ${operator}${name ? ` (${name})` : ""}`;
}
