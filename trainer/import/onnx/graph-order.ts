// Whether a graph's nodes stand as ONNX wants them: each reads what is made before it, and nothing is made twice. Knows no operator.
// Definition: github.com/onnx/onnx/blob/main/docs/IR.md, "Graphs" (topologically sorted, static single assignment).
import { rejectFile } from "../contract/reject-file.ts";
import { readBy } from "./dependence.ts";
import type { Graph } from "./file.ts";

/** Throws DataError where a node reads what no node before it makes, or makes what is there already. */
export function checkOrder({ nodes, constants, inputs }: Graph, source: string): void {
  const known = new Set([...constants.keys(), ...inputs.map(({ name }) => name)]);
  const made = new Set(nodes.flatMap(({ outputs }) => outputs));
  for (const node of nodes) {
    const what = `${node.operator} (${node.name || node.outputs[0]})`;
    const unknown = readBy(node).find((name) => name !== "" && !known.has(name));
    if (unknown !== undefined)
      rejectFile(
        source,
        made.has(unknown)
          ? `has nodes in a circle or out of order: ${what} reads ${unknown}, which is made behind it`
          : `has a node that reads what nothing makes: ${what} reads ${unknown}`,
        "the graph is damaged: export the model again",
      );
    const twice = node.outputs.find((name) => name !== "" && known.has(name));
    if (twice !== undefined)
      rejectFile(source, `makes ${twice} twice, the second time in ${what}`, "the graph is damaged: export the model again");
    for (const name of node.outputs) known.add(name);
  }
}
