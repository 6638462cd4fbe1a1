// What a tensor of a graph is computed from. Knows no operator but the LSTM, at which the way back ends.
import type { Graph } from "./file.ts";

/** Whether `wanted` goes into `name`, on a way that passes no LSTM. A tensor goes into itself. */
export function dependsOn({ nodes }: Graph, name: string, wanted: string): boolean {
  const makers = new Map(nodes.flatMap((node) => node.outputs.map((output) => [output, node] as const)));
  const seen = new Set<string>();
  for (const open = [name]; open.length > 0; ) {
    const tensor = open.pop() as string;
    if (tensor === wanted) return true;
    const maker = makers.get(tensor);
    if (tensor === "" || seen.has(tensor) || maker === undefined || maker.operator === "LSTM") continue;
    seen.add(tensor);
    open.push(...maker.inputs);
  }
  return false;
}
