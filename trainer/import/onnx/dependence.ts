// What a tensor of a graph is computed from. Knows no operator but the LSTM, at which the way back ends.
import type { Graph } from "./file.ts";
import { type Body, bodyOf, type Node } from "./operators/node.ts";

/** The node that computes each tensor, by the tensor's name. */
export function makersOf({ nodes }: Pick<Graph, "nodes">): ReadonlyMap<string, Node> {
  return new Map(nodes.flatMap((node) => node.outputs.filter((name) => name !== "").map((name) => [name, node] as const)));
}

/** Names that a node reads: its inputs, and what its body takes of the graph around it. */
export function readBy({ inputs, attributes }: Node): readonly string[] {
  const bodies = [...attributes.values()].map(bodyOf).filter((body) => body !== undefined);
  return [...inputs, ...bodies.flatMap(takenFromOutside)];
}

/** Names that a body takes of the graph around it. */
export function takenFromOutside({ nodes, constants, inputs, outputs }: Body): string[] {
  const inside = new Set([...constants.keys(), ...inputs, ...nodes.flatMap((node) => node.outputs)]);
  return [...new Set([...nodes.flatMap(readBy), ...outputs])].filter((name) => name !== "" && !inside.has(name));
}

/** Whether `wanted` goes into `name`, on a way that passes no LSTM. A tensor goes into itself. */
export function dependsOn(graph: Graph, name: string, wanted: string): boolean {
  const makers = makersOf(graph);
  const seen = new Set<string>();
  for (const open = [name]; open.length > 0; ) {
    const tensor = open.pop() as string;
    if (tensor === wanted) return true;
    const maker = makers.get(tensor);
    if (tensor === "" || seen.has(tensor) || maker === undefined || maker.operator === "LSTM") continue;
    seen.add(tensor);
    open.push(...readBy(maker));
  }
  return false;
}
