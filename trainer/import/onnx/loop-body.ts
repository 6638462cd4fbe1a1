// What the names of a loop's body stand for: rows of the sequences, masks, states, and numbers that stay.
// Legend: T steps, N sequences, W width, U units.
import { type Traced, type TracedNode, unlike } from "./flow.ts";
import type { Body, Node, Tensor } from "./operators/node.ts";

/** What the names that a body is given stand for. */
export interface LoopBody {
  readonly body: Body;
  /** Numbers that stay the same in all steps, and counters with their first value. */
  readonly numbers: ReadonlyMap<string, Tensor>;
  /** States (N,U): the body's input, and the output that is the next step's. */
  readonly states: readonly { readonly input: string; readonly output: string; readonly first: Tensor }[];
  /** The body's tensors that hold one row of the sequences (N,W), and those that say whether the row is passed over. */
  readonly rows: readonly string[];
  readonly masks: readonly string[];
}

/** Evaluates a body, given some of its tensors. */
export type EvaluateBody = (given: ReadonlyMap<string, Tensor>) => (name: string) => Tensor;

/** The body's tensors for B rows (B,W) and states (B,U) before the step; `valid`: 1, or 0 where masks pass the rows over. */
export function runBody(
  { numbers, rows, states, masks }: LoopBody,
  evaluate: EvaluateBody,
  row: Tensor,
  before: readonly Tensor[],
  valid: number,
): (name: string) => Tensor {
  const [B] = row.dims;
  const mask: Tensor = { dims: [B, 1], data: new Float64Array(B).fill(valid) };
  return evaluate(
    new Map([
      ...numbers,
      ...rows.map((name) => [name, row] as const),
      ...states.map(({ input }, s) => [input, before[s]] as const),
      ...masks.map((name) => [name, mask] as const),
    ]),
  );
}

/** What each name of the body is, and the sequences that its rows come from. */
export function readLoop({ node, constant, scope, keepMask }: TracedNode, body: Body): LoopBody & { readonly traced: Traced } {
  const [iteration, , ...carried] = body.inputs;
  const numbers = new Map<string, Tensor>([[iteration, { dims: [], data: Float64Array.of(0) }]]);
  const counters = new Set([iteration]);
  const states: LoopBody["states"][number][] = [];
  for (const [k, input] of carried.entries()) {
    const first = constant(2 + k)!;
    const output = body.outputs[1 + k];
    const isKept = alike(body, output) === input;
    if (isKept || first.dims.length === 0) numbers.set(input, first);
    if (!isKept && first.dims.length === 0) counters.add(input);
    if (!isKept && first.dims.length === 2) states.push({ input, output, first });
    if (!isKept && first.dims.length !== 0 && first.dims.length !== 2)
      unlike(`carries a tensor of ${first.dims.length} axes from step to step`);
  }
  const [rows, masks]: [string[], string[]] = [[], []];
  let traced: Traced | undefined;
  for (const one of body.nodes.filter(({ operator, inputs }) => operator === "Gather" && counters.has(alike(body, inputs[1])))) {
    const what = scope(one.inputs[0]);
    if (Number(one.attributes.get("axis") ?? 0) !== 0) unlike("takes something else than a step");
    if ("flow" in what && traced !== undefined && traced !== what) unlike("reads two sequences");
    if ("flow" in what) [traced] = [what, rows.push(one.outputs[0])];
    else readMask(one, what, masks, keepMask);
  }
  return { body, numbers, states, rows, masks, traced: traced ?? unlike(`reads no step of the sequences${node.name ? "" : " (body)"}`) };
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
