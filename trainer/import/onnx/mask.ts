// Masks in a graph: which rows of the sequences are passed over, found by giving sequences of which each row is another kind of row.
// Legend: N sequences, T steps, F features.
import { rejectFile, SECOND_ENGINE } from "../contract/reject-file.ts";
import type { Graph } from "./file.ts";
import { createEvaluator } from "./interpreter.ts";
import { feed, type Layout } from "./layout.ts";
import type { Tensor } from "./operators/node.ts";

/** A number that no mask passes over, and no model has: what sequences are made of where all their rows are to be valid. */
export const VALID_NUMBER = 0.7310585786300049;

/** The number of which rows are passed over. Throws DataError where masks say something else than that a row has nothing but one number. */
export function readMaskValue(graph: Graph, layout: Layout, F: number, masks: ReadonlySet<string>, source: string): number {
  const numbers = createEvaluator(
    graph,
    feed(layout, F, () => VALID_NUMBER),
    source,
  );
  const compared = graph.nodes.filter(({ operator }) => operator === "Equal").flatMap(({ inputs }) => inputs);
  const given = compared.filter(
    (name) => graph.constants.has(name) || graph.nodes.some(({ operator, outputs }) => operator === "Constant" && outputs.includes(name)),
  );
  const values = new Set([0, ...given.map(numbers).flatMap(({ data }) => (data.length === 1 ? [data[0]] : []))]);
  for (const value of values) if (passesOver(value, graph, layout, F, masks, source)) return value;
  return rejectFile(source, "passes over rows by another rule than that all their numbers are one number", SECOND_ENGINE);
}

/** Whether every mask passes over the rows of nothing but `value`, and over no other. */
function passesOver(value: number, graph: Graph, layout: Layout, F: number, masks: ReadonlySet<string>, source: string): boolean {
  const { N, T } = layout;
  // Of four rows one is of nothing but `value`, one of all numbers but one, one has it once, and one never
  const isPassed = (n: number, t: number): boolean => (n + t) % 4 === 0;
  const has = (n: number, t: number, f: number): boolean => {
    const [kind, isChosen] = [(n + t) % 4, f === (n + t) % F];
    return kind === 0 || (kind === 1 && !isChosen) || (kind === 2 && isChosen && F > 1);
  };
  const feeds = feed(layout, F, (n, t, f) => (has(n, t, f) ? value : VALID_NUMBER + f));
  const evaluate = createEvaluator(graph, feeds, source);
  return [...masks].every((name) => {
    const { dims, data }: Tensor = evaluate(name);
    if (data.length !== N * T || dims[0] !== T) return false;
    const says = (rowAt: (t: number) => number): boolean =>
      data.every((valid, k) => (valid === 0) === isPassed(k % N, rowAt(Math.floor(k / N))));
    return says((t) => t) || says((t) => T - 1 - t);
  });
}
