// If nodes whose condition is one of shapes: the branch that is taken stands in their place, as where PyTorch's exporter asks whether an axis that
// is squeezed has one number.
import { makersOf, readBy } from "./dependence.ts";
import type { Graph } from "./file.ts";
import { createEvaluator } from "./interpreter.ts";
import { feed, type Layout } from "./layout.ts";
import { bodyOf, type Node } from "./operators/node.ts";

/** Bodies in bodies; PyTorch writes one. */
const MAX_DEPTH = 8;

/** The graph without the Ifs that are settled by shapes. Throws DataError where a condition cannot be computed. */
export function inlineBranches(graph: Graph, layout: Layout, F: number, source: string, depth = 0): Graph {
  const settled = graph.nodes.filter((node) => node.operator === "If" && !readsNumbers(graph, node.inputs[0], layout.input));
  if (settled.length === 0 || depth === MAX_DEPTH) return graph;
  const numbers = createEvaluator(
    graph,
    feed(layout, F, () => 0),
    source,
  );
  const constants = new Map(graph.constants);
  const nodes = graph.nodes.flatMap((node): readonly Node[] => {
    if (!settled.includes(node)) return [node];
    const body = bodyOf(node.attributes.get(numbers(node.inputs[0]).data[0] === 0 ? "else_branch" : "then_branch"));
    if (body === undefined) return [node];
    for (const [name, tensor] of body.constants) constants.set(name, tensor);
    const given = node.outputs.map(
      (name, k): Node => ({ operator: "Identity", name, inputs: [body.outputs[k]], outputs: [name], attributes: new Map() }),
    );
    return [...body.nodes, ...given];
  });
  return inlineBranches({ ...graph, nodes, constants }, layout, F, source, depth + 1);
}

/** Whether the numbers of `input`, and not its shape alone, go into `name`. */
function readsNumbers(graph: Graph, name: string, input: string): boolean {
  const makers = makersOf(graph);
  const seen = new Set<string>();
  for (const open = [name]; open.length > 0; ) {
    const tensor = open.pop()!;
    if (tensor === input) return true;
    const maker = makers.get(tensor);
    if (seen.has(tensor) || maker === undefined || maker.operator === "Shape" || maker.operator === "Size") continue;
    seen.add(tensor);
    open.push(...readBy(maker));
  }
  return false;
}
