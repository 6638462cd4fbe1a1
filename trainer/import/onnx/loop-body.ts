// What the names of a loop's body stand for: rows of the sequences, masks, states, and numbers that stay.
// Legend: T steps, N sequences, W width, U units.

import { takenFromOutside } from "./dependence.ts";
import { type Traced, type TracedNode, unlike } from "./flow.ts";
import { countCarried } from "./interpreter.ts";
import type { Body, Node, Tensor } from "./operators/node.ts";

/** What the names that a body is given stand for. */
export interface LoopBody {
  readonly body: Body;
  /** The body's outputs that the loop leaves: the carried tensors, then what the loop gathers of all steps. */
  readonly results: readonly string[];
  /** How many of them are carried. */
  readonly carried: number;
  /** Numbers that stay the same in all steps, and counters with their first value. */
  readonly numbers: ReadonlyMap<string, Tensor>;
  /** States (N,U): the body's input, and the output that is the next step's. */
  readonly states: readonly { readonly input: string; readonly output: string; readonly first: Tensor }[];
  /** The body's tensors that hold one row of the sequences (N,W), and those that say whether the row is passed over. */
  readonly rows: readonly string[];
  readonly masks: readonly string[];
  /** Tensors of the graph around the body that say how long each sequence is. */
  readonly lengths: readonly string[];
}

/** A body over the steps of sequences. */
export type LoopOver = LoopBody & { readonly traced: Traced };

/** Evaluates a body, given some of its tensors. */
export type EvaluateBody = (given: ReadonlyMap<string, Tensor>) => (name: string) => Tensor;

/** The body's tensors for B rows (B,W) and states (B,U) before the step; `valid`: 1, or 0 where masks pass the rows over. */
export function runBody(
  { numbers, rows, states, masks, lengths }: LoopBody,
  evaluate: EvaluateBody,
  row: Tensor,
  before: readonly Tensor[],
  valid: number,
): (name: string) => Tensor {
  const [B] = row.dims;
  const data = new Float64Array(B).fill(valid); // of the first step, in front of whose end a length of 1 is
  const [mask, length]: Tensor[] = [
    { dims: [B, 1], data },
    { dims: [B], data },
  ];
  return evaluate(
    new Map([
      ...numbers,
      ...rows.map((name) => [name, row] as const),
      ...states.map(({ input }, s) => [input, before[s]] as const),
      ...masks.map((name) => [name, mask] as const),
      ...lengths.map((name) => [name, length] as const),
    ]),
  );
}

/** What each name of a Loop's body is, and the sequences that its rows come from. */
export function readLoop({ constant, scope, keepMask }: TracedNode, body: Body): LoopOver {
  const [iteration, , ...carried] = body.inputs;
  const results = body.outputs.slice(1);
  const { numbers, counters, states } = readCarried(body, carried, results, (k) => constant(2 + k)!);
  numbers.set(iteration, { dims: [], data: Float64Array.of(0) });
  counters.add(iteration);
  const [rows, masks]: [string[], string[]] = [[], []];
  let traced: Traced | undefined;
  for (const one of body.nodes.filter(({ operator, inputs }) => operator === "Gather" && counters.has(alike(body, inputs[1])))) {
    if (body.nodes.some(({ outputs }) => outputs.includes(one.inputs[0]))) unlike("takes steps of what it computes itself");
    const what = scope(one.inputs[0]);
    if (Number(one.attributes.get("axis") ?? 0) !== 0) unlike("takes something else than a step");
    if ("flow" in what && traced !== undefined && traced !== what) unlike("reads two sequences");
    if ("flow" in what) [traced] = [what, rows.push(one.outputs[0])];
    else readMask(one, what, masks, keepMask);
  }
  return follow(traced, scope, { body, results, carried: carried.length, numbers, states, rows, masks });
}

/** The body with its sequences, and what of the graph around it says how long they are: of all steps, as sequences are when a graph is understood. */
function follow(traced: Traced | undefined, scope: TracedNode["scope"], loop: Omit<LoopBody, "lengths">): LoopOver {
  if (traced === undefined) return unlike("reads no step of the sequences");
  const { flow, codes } = traced;
  const lengths = takenFromOutside(loop.body).filter((name) => {
    const what = scope(name);
    return "data" in what && String(what.dims) === String([codes.dims[1]]) && what.data.every((length) => length === flow.R);
  });
  return { ...loop, lengths, traced };
}

/** What each name of a Scan's body is, and the sequences that its rows come from. Its carried tensors come first, what it reads step by step behind them. */
export function readScan({ node, inputs, constant, scope, keepMask }: TracedNode, body: Body): LoopOver {
  const count = countCarried(node);
  const results = body.outputs;
  const { numbers, states } = readCarried(body, body.inputs.slice(0, count), results, (k) => constant(k)!);
  const [rows, masks]: [string[], string[]] = [[], []];
  let traced: Traced | undefined;
  for (const [k, name] of body.inputs.entries()) {
    if (k < count) continue;
    const what = inputs[k];
    if (what && traced !== undefined && traced !== what) unlike("reads two sequences");
    if (what) [traced] = [what, rows.push(name)];
    else readMask({ ...node, inputs: [node.inputs[k]], outputs: [name] }, constant(k)!, masks, keepMask);
  }
  return follow(traced, scope, { body, results, carried: count, numbers, states, rows, masks });
}

/** Tensors that a body is given and leaves for the next step: numbers that stay, counters, and states. `firstOf` gives the k-th before the first step. */
function readCarried(body: Body, carried: readonly string[], results: readonly string[], firstOf: (k: number) => Tensor) {
  const numbers = new Map<string, Tensor>();
  const counters = new Set<string>();
  const states: LoopBody["states"][number][] = [];
  for (const [k, input] of carried.entries()) {
    const [first, output] = [firstOf(k), results[k]];
    const isKept = alike(body, output) === input;
    if (isKept || first.dims.length === 0) numbers.set(input, first);
    if (!isKept && first.dims.length === 0) counters.add(input);
    if (!isKept && first.dims.length === 2) states.push({ input, output, first });
    if (!isKept && first.dims.length !== 0 && first.dims.length !== 2)
      unlike(`carries a tensor of ${first.dims.length} axes from step to step`);
  }
  return { numbers, counters, states };
}

/** What is gathered beside the rows must pass no row over where all rows are valid. */
function readMask({ inputs, outputs }: Node, { data }: Tensor, masks: string[], keepMask: (name: string) => void): void {
  if (data.some((value) => value !== 1)) unlike("reads numbers of its own in each step");
  masks.push(outputs[0]);
  keepMask(inputs[0]);
}

/** The name behind Identity and Cast. */
function alike({ nodes }: Body, name: string): string {
  const maker = nodes.find(({ operator, outputs }) => /^(Identity|Cast)$/.test(operator) && outputs[0] === name);
  return maker ? alike({ nodes } as Body, maker.inputs[0]) : name;
}
